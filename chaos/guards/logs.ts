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
];
