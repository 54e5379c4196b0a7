import { guardsOf } from './guard.ts';

const FILES = 'test/host/files.test.ts';
const ASIDE = 'test/host/files-aside.test.ts';

/** What keeps files from being sent the wrong way, or deleted. */
export const FILES_GUARDS = [
  ...guardsOf('adapters/host/parts/25-lock.sh', FILES, [
    [
      'filesets have a lock of their own',
      'the disk of a fileset that hangs keeps no failover from the host',
      '|| LOCKED=.${ARG[job]%.*}',
      '|| true',
      'keeps nobody from claiming the host, recording a primary and moving the VIP role',
    ],
  ]),
  ...guardsOf('adapters/host/parts/86-files-send.sh', FILES, [
    [
      'the end of an earlier run',
      'a run that was not begun does not take the end of the one before for its own',
      'rm -f "$JOB_DIR"/{state,summary,sent} ||',
      'true ||',
      'has no end of its own before its rsync has begun',
    ],
  ]),
  ...guardsOf('adapters/host/parts/87-files-receive.sh', FILES, [
    [
      'remembered for its own lineage',
      'after other promotions the next run is a first one, which deletes nothing',
      '|| ${F[lineage]-} != "$LINEAGE" ]] || remember',
      ']] || remember',
      'is not remembered when somebody was promoted since it was opened',
    ],
  ]),
  ...guardsOf('adapters/host/parts/20-records.sh', FILES, [
    [
      'a promotion ends receivers',
      'nothing is written any more into the files of a new primary',
      'end_files "${ARG[host]}"',
      '',
      'ends the receiver on the new primary at once, and none comes after it',
    ],
  ]),
  ...guardsOf('adapters/host/parts/85-filesets.sh', FILES, [
    [
      'a target looks who is primary',
      'a primary receives no files, and nobody receives from another host than the primary',
      '[[ $PRIMARY == "${F[source]}" && $PRIMARY != "${F[name]}" ]] ||',
      'true ||',
      'ends the receiver on the new primary at once, and none comes after it',
    ],
    [
      'a source looks who is primary',
      'a host that was deposed sends no files',
      '[[ $PRIMARY == "${F[name]}" && $FENCED == no ]] ||',
      'true ||',
      'ends what the old primary still sends, when it hears of it',
    ],
    [
      'marker',
      'an unmounted source deletes nothing',
      '[[ -e ./${F[marker]} && ! -L ./${F[marker]} ]] ||',
      'true ||',
      'is not deleted when its source is unmounted after it was counted',
    ],
    [
      'identity of a target',
      'an unmounted target, or the folder of somebody else, is not filled',
      '[[ ! -e $FILES/${F[fileset]} ]] && ! has_other ||',
      'true ||',
      'when its target was unmounted',
    ],
    [
      'no database directory',
      'files of a database are not replaced by those of another',
      '! holds_database ||',
      'true ||',
      'when its folder is, contains or is inside the data directory',
    ],
  ]),
  ...guardsOf('adapters/host/parts/86-files-send.sh', FILES, [
    [
      'only what was counted is deleted',
      'a source that is emptied after the dry run costs no file',
      "printf 'P *\\0'",
      "printf ''",
      'loses nothing that vanishes from the source after it was counted',
    ],
  ]),
  ...guardsOf('adapters/host/parts/87-files-receive.sh', FILES, [
    [
      'set aside or settled',
      'whatever the source believes, the first run after a change of direction keeps everything',
      '[[ $keeps == yes ]] || is_settled ||',
      'true ||',
      'is not deleted from by a source that says it is settled when it is not',
    ],
    [
      'a comparison is a dry run',
      'a comparison changes no file, whatever the source asks for',
      '[[ ${F[diff]} == no ]] ||',
      'true ||',
      'changes nothing when a comparison was asked for',
    ],
    [
      'a limit comes with every deletion',
      'a key of a fileset does not let its holder delete without a limit',
      '((${limit:-0} <= F[max])) ||',
      'true ||',
      'gives nothing but receiving that fileset, within its limits',
    ],
  ]),
  ...guardsOf('adapters/host/parts/87-files-receive.sh', ASIDE, [
    [
      'nothing is set aside twice in one folder',
      'what only the old primary had is not replaced by a later version of the source',
      '[[ $keeps == no || ! -e ./$SET_ASIDE/${F[stamp]} ]] ||',
      'true ||',
      'is not replaced by a source that names its folder once more',
    ],
    [
      'a folder for each round',
      'two rounds within a second do not set aside into one folder',
      '[[ -e ./$SET_ASIDE/${ARG[stamp]} ]] || return 0',
      'return 0',
      'is not shared by the one that is opened within the same second',
    ],
  ]),
  ...guardsOf('activities/filing.ts', 'test/activities/filing.test.ts', [
    [
      'a round sets aside into its own folder',
      'a first run goes on by itself on a busy folder',
      'if (!run.isSettled) await run.reopen();',
      '',
      'are sent for again, and in a first run each round sets aside into a folder of its own',
    ],
  ]),
  ...guardsOf('domain/filesets.ts', 'test/domain/filesets.test.ts', [
    [
      'more deletions than the limit',
      'a run that would delete too much is refused before it begins',
      'if (deleted > fileset.maxDelete)',
      'if (deleted > Number.MAX_VALUE)',
      'is refused when it would delete more than the limit',
    ],
    [
      'unsettled means aside',
      'nothing is deleted in the first run after a change of direction',
      "if (!settled) return { kind: 'push', deletes: 'aside' };",
      '',
      'deletes nothing after a change of direction, however much is counted',
    ],
  ]),
];
