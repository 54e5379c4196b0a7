import type { Rule } from './rule.ts';
import { eachReplica, eachServer, unless } from './rule.ts';

/** Whether what servers and clients send each other can be read on the way. */
export const TLS_RULES: readonly Rule[] = [
  {
    code: 'ReplicationInClear',
    group: 'servers',
    severity: 'warn',
    looksAt: '`Master_SSL_Allowed` of every replica',
    why: 'whoever can listen on the network reads every row that is changed',
    fix: 'certificates for the servers; while the primary serves: standfast acker remove CLUSTER HOST; on HOST: STOP SLAVE; CHANGE MASTER TO MASTER_SSL=1; START SLAVE; when it has caught up, standfast acker add CLUSTER HOST. No REQUIRE SSL on its account: a copy or a rejoin follows without TLS. Or, on a network of your own, a baseline',
    judge: eachReplica(({ server: { connection } }) =>
      unless(connection.encrypted === true, { found: 'not encrypted', expected: 'TLS' }),
    ),
  },
  {
    code: 'ServerWithoutTls',
    group: 'servers',
    severity: 'info',
    looksAt: '`have_ssl`',
    why: 'clients and replicas have no way to encrypt what they send',
    fix: 'put ssl_cert and ssl_key into the configuration of HOST and restart it',
    judge: eachServer(({ server }) =>
      unless(server.offersTls, { found: 'have_ssl is not YES', expected: 'TLS offered' }),
    ),
  },
];
