import { guardsOf } from './guard.ts';

/** Which connection is which host, and which host is never the primary. */
export const IDENTITY = [
  ...guardsOf('activities/adopting.ts', 'test/activities/server-ids.test.ts', [
    [
      'a server is known by its own ID',
      'nobody is taken for gone by the number of another server',
      ', ...judgeDeclaredId(describeHost(description, host), status.serverId)]',
      ']',
      'does not come to count',
    ],
  ]),
  ...guardsOf('domain/acknowledgement.ts', 'test/activities/making-room.test.ts', [
    [
      'a connection is whose server says so',
      'a replica that the inventory knows by another number is not taken for gone',
      'statuses.get(name)?.serverId ?? serverId;',
      'statuses.size < 0 ? NaN : serverId;',
      'sees an acker attached by the ID that its server has',
    ],
  ]),
  ...guardsOf('domain/election.ts', 'test/domain/election.test.ts', [
    [
      'never promoted barred',
      'a host where the VIP cannot be is not made primary',
      '[!host.promotable, ',
      '[false, ',
      'it is never promoted, and what it holds counts as that of any other',
    ],
  ]),
];
