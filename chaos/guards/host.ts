import { guardsOf } from './guard.ts';

const RECORDS = 'test/host/records.test.ts';
const DATABASE = 'test/host/database.test.ts';

/** What the helper refuses and proves on a host, whoever orders it. */
export const HOST = [
  ...guardsOf('adapters/host/parts/20-records.sh', RECORDS, [
    [
      'owner',
      'a member obeys one control plane',
      '[[ $OWNER == "${ARG[owner]}" ]] && return 0',
      'return 0',
      'obeys the first owner until a person hands the host over',
    ],
    [
      'hand-over by a person',
      'the account of the workers cannot give a member to another control plane',
      '[[ ${SUDO_USER-} != "${CONF[account]}" ]] ||',
      'true ||',
      'obeys the first owner until a person hands the host over',
    ],
    [
      'epoch of an order',
      'an order of an older operation, or of another run, is not carried out',
      '[[ $EPOCH == "${ARG[epoch]}" && $EPOCH_RUN == "${ARG[run]}" ]] && return 0',
      'return 0',
      'executes an order only at the accepted epoch and run',
    ],
    [
      'damaged record',
      'a record that cannot be read is never taken for no record',
      'if ((status == 2)); then',
      'if false; then',
      'takes no part while a record is damaged',
    ],
  ]),
  ...guardsOf('adapters/host/parts/40-claim.sh', RECORDS, [
    [
      'epoch number',
      'a claim with a lower number is refused',
      '((ARG[epoch] > EPOCH)) && return 0',
      'return 0',
      'refuses a lower number, and the same number from another run',
    ],
    [
      'epoch run',
      'the same number from another run is refused',
      '[[ $EPOCH == "${ARG[epoch]}" && $EPOCH_RUN == "${ARG[run]}" ]] && return 0',
      '[[ $EPOCH == "${ARG[epoch]}" ]] && return 0',
      'refuses a lower number, and the same number from another run',
    ],
  ]),
  ...guardsOf('adapters/host/parts/25-lock.sh', RECORDS, [
    [
      'older order ended at claim',
      'an older order that still runs on a host is over when a newer operation acts',
      '! "$1" || within 2000 holder_gone "$noted"',
      ':',
      'answers for an order that a newer claim ended',
    ],
  ]),
  ...guardsOf('adapters/host/parts/40-claim.sh', DATABASE, [
    [
      'session kill at claim',
      'a statement of an older operation is over when a newer one acts',
      '    kill_sessions\n',
      '',
      'ends the sessions of the operation account, and only those',
    ],
    [
      'waiting sessions are killed hard',
      'a plain kill does not end a commit that waits for an acknowledgement',
      'KILL HARD CONNECTION',
      'KILL SOFT CONNECTION',
      'ends sessions that wait for an acknowledgement that never comes',
    ],
  ]),
  ...guardsOf('adapters/host/parts/37-configure.sh', DATABASE, [
    [
      'boot closed',
      'a member that boots accepts no write',
      '[mysqld]\nread_only=1',
      '[mysqld]',
      'boots closed, whatever an administrator set before',
    ],
  ]),
  ...guardsOf('adapters/host/parts/37-configure.sh', 'test/host/boots-closed.test.ts', [
    [
      'boot closed wins',
      'a file that is read later does not open a member',
      '[[ $BOOTS != open ]] ||',
      'true ||',
      'says whether it would boot closed as its server would',
    ],
  ]),
  ...guardsOf('adapters/host/parts/45-fence.sh', 'test/host/systemd.test.ts', [
    [
      'unit is held',
      'systemd starts no fenced server, whatever it was told before',
      '  hold_unit || refuse',
      '  hold_unit || true || refuse',
      'is not taken for one that heeds it when it does not say so',
    ],
  ]),
  ...guardsOf('adapters/host/parts/35-service.sh', RECORDS, [
    [
      'no lock outlives its order',
      'what an order has started keeps no newer one from the host',
      'close_lock; exec timeout --foreground',
      'exec timeout',
      'is free as soon as its order is ended, though a client of the server still waits',
    ],
  ]),
  ...guardsOf('adapters/host/parts/80-job-install.sh', 'test/host/jobs.test.ts', [
    [
      'relied on',
      'the undo of a copy never empties a host that an operation relies on, or is about to',
      '      refuse_if_relied_on\n',
      '',
      'is not undone on a host that an operation relies on, or is about to',
    ],
  ]),
  ...guardsOf('adapters/host/parts/45-fence.sh', DATABASE, [
    [
      'supervisor stopped',
      'nobody starts the server of a fenced host again',
      '((${#SUPERVISORS[@]} == 0)) || kill -KILL "${SUPERVISORS[@]}" 2>/dev/null',
      ':',
      'ends a supervisor that waits before it starts the server again',
    ],
    [
      'process-gone proof',
      'a fence is believed only when its proof came true',
      "[[ $PROOF == 'process=gone supervisor=gone port=closed vip=no' ]] ||",
      'true ||',
      'shuts the port in both directions, loopback too, for whatever would listen there',
    ],
    [
      'process counted in the proof',
      'a server that is started again and again is seen',
      '((${#MYSQLD[@]} == 0)) || process=present',
      ':',
      'is not proven while something starts the server again and again',
    ],
    [
      'port dropped outwards',
      'not even an acknowledgement that is in a buffer leaves a fenced server',
      'tcp sport ${CONF[port]} tcp flags & rst != rst drop;',
      '',
      'lets not even an acknowledgement out that was still on its way',
    ],
    [
      'port refused inwards',
      'nobody connects to a fenced server',
      'policy accept; tcp dport ${CONF[port]} reject with tcp reset;',
      'policy accept;',
      'shuts the port in both directions, loopback too, for whatever would listen there',
    ],
  ]),
  ...guardsOf('adapters/host/parts/40-claim.sh', 'test/host/recovering.test.ts', [
    [
      'no session without a socket',
      'a server is taken for one that has no sessions only when it has no socket at all',
      '[[ -e $file && (! -S $file || ${file##*/} == [12]) ]] || return 0',
      ':',
      'does not take one for it that has a socket, whatever that is for: it may have sessions',
    ],
  ]),
  ...guardsOf('adapters/host/parts/21-spares.sh', 'test/host/full-disk.test.ts', [
    [
      'records on a full disk',
      'a server that has filled its disk can be claimed and fenced all the same',
      ' || write_over_spare "$1" "$2"',
      '',
      'keeps no operation from claiming the host and fencing its server, which goes on writing',
    ],
  ]),
  ...guardsOf('adapters/host/parts/35-service.sh', DATABASE, [
    [
      'broken pipe',
      'an order ends with an answer when the client of the server ends before it',
      "  trap '' PIPE\n",
      '',
      'answers when the client of the server ends in the middle of its conversation',
    ],
    [
      'fenced host stays down',
      'no order starts the server of a fenced host',
      '[[ $FENCED == no ]] ||',
      'true ||',
      'proves the death of a server that hangs, with its supervisor, keeps it down',
    ],
  ]),
  ...guardsOf('adapters/host/parts/00-head.sh', 'test/host/full-disk.test.ts', [
    [
      'a full /run',
      'a server can be fenced though the log of its helper cannot be opened',
      '{ : >>"$ERRORS"; } 2>/dev/null || ERRORS=/dev/null',
      ':',
      'can be claimed and fenced: its records are elsewhere, and have room',
    ],
  ]),
  ...guardsOf('adapters/host/parts/60-logs.sh', DATABASE, [
    [
      'relay logs linked',
      'a relay log that the server deletes is still there',
      'ln -f "${these[@]}" "$folder/" ||',
      'true ||',
      'links the relay logs and copies what is rewritten in place',
    ],
  ]),
  ...guardsOf('adapters/host/parts/61-release.sh', 'test/host/relay-elsewhere.test.ts', [
    [
      'relay logs of a newer epoch stay',
      'an operation releases nothing that a newer one may need',
      '((10#$number <= EPOCH)) ||',
      'true ||',
      'leaves what a newer epoch keeps there, and whatever else is there',
    ],
  ]),
  ...guardsOf('adapters/host/parts/63-tail-scan.sh', DATABASE, [
    [
      'binlog end of a dead server only',
      'the end of a log that still grows proves nothing',
      'mysqld_gone_soon || refuse Unsafe',
      'true || refuse Unsafe',
      'refuses while mysqld runs',
    ],
  ]),
  ...guardsOf('adapters/host/parts/82-discard.sh', 'test/host/standing.test.ts', [
    [
      'no data that somebody relies on',
      'between a fence and its record only the old primary may have what was acknowledged',
      '  refuse_if_relied_on\n',
      '',
      'stay where somebody relies on them, fenced or not, on another host than was meant, and for the account',
    ],
    [
      'the fence after the data',
      'the old data are never started again',
      '[[ -z $left ]] ||',
      'true ||',
      'go, and then the fence, in that order, and again where it was ended in the middle',
    ],
  ]),
];
