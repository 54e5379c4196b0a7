import { guardsOf } from './guard.ts';

const LOG_ENDS = 'test/host/log-ends.test.ts';

/** What is taken for the whole of a server's logs. */
export const LOGS = [
  ...guardsOf('adapters/host/parts/63-tail-scan.sh', LOG_ENDS, [
    [
      'a compressed statement ends its transaction',
      'what was acknowledged is found in a log whose statements are compressed',
      'Query(_compressed)?',
      'Query',
      'is found when its statement is compressed, whatever follows it',
    ],
    [
      'a transaction without an end is damage',
      'a transaction whose end is not recognised is not dropped in silence',
      'function tell_endless() {',
      'function tell_endless() { return;',
      'whose end cannot be found is damage',
    ],
    [
      'a binlog after a power cut',
      'what was acknowledged and was not on the disk is not taken for never written',
      'binlogs_have_their_end "$@" ||',
      'true ||',
      'is not trusted after the host was started anew',
    ],
  ]),
  ...guardsOf('adapters/host/parts/60-logs.sh', LOG_ENDS, [
    [
      'a log that is gone leaves its tail incomplete',
      'what was acknowledged into a log that is gone is not taken for never written',
      'GONE=${GONE:-$line}',
      'true',
      'is missing from the tail when the index names it',
    ],
  ]),
  ...guardsOf('activities/releasing.ts', 'test/activities/releasing.test.ts', [
    [
      'relay logs released where all is applied',
      'what was kept of a replica stays until it has what its primary has',
      '(await waitApplied(session, goal, CATCH_UP_MS)) ? authority.statusOn(session) : null',
      'authority.statusOn(session)',
      'stay on a replica that has not applied what its primary has, and nothing fails',
    ],
    [
      'relay logs released where nothing else was received',
      'what was kept of a replica that holds more than its primary stays',
      'return containsGtids(parseGtids(binlogState), receivedBy(status));',
      'return true;',
      'stay on a replica that holds what its primary never had',
    ],
  ]),
  ...guardsOf('activities/opening.ts', 'test/activities/releasing.test.ts', [
    [
      'relay logs of one that stood still are kept',
      'what a replica had received before it was started is not thrown away unread',
      '(one) => !started.includes(one)',
      '() => true',
      'stay until the next time on a replica that stood still: what it had received was not read',
    ],
  ]),
  ...guardsOf('activities/unfencing.ts', 'test/activities/releasing.test.ts', [
    [
      'relay logs that could not be read are not released',
      'where an undo says that something is kept, it is kept',
      'hosts: [primary, ...started]',
      'hosts: [primary, ...followersOf(seen, primary)]',
      'stay where they could not be read, as the undo says',
    ],
  ]),
];
