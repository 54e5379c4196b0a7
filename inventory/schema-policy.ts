import * as z from 'zod';
import { country, duration, name, whole } from './schema-leaves.ts';

const failoverPolicy = z.strictObject(
  {
    automatic: z
      .boolean('true or false')
      .default(false)
      .meta({ description: 'Whether a failover may start without a person' }),
    fence: z
      .array(
        z.enum(['ssh', 'powerOff', 'revocation'], 'ssh, powerOff or revocation'),
        'a list of ssh, powerOff and revocation',
      )
      .min(1, 'at least one of ssh, powerOff and revocation')
      .default(['ssh', 'revocation'])
      .meta({
        description:
          'What may prove that the old primary acknowledges nothing any more, tried in this order: `ssh` stops it, `powerOff` runs the hook, `revocation` stops the receivers of the replicas that it waits for',
      }),
    cooldown: duration.default('10m').meta({ description: 'Least time between two automatic failovers' }),
    grace: duration.default('0s').meta({
      description: 'How long a dead primary may take to come back by itself before an automatic failover starts',
    }),
    salvage: z.enum(['apply', 'quarantine'], 'apply or quarantine').default('apply').meta({
      description:
        'Transactions that only the old primary has, read from its binary log while its host answers: `apply` brings them to the new primary, `quarantine` sets them aside for a person',
    }),
    maxLostTransactions: whole({ from: 0, to: 1_000_000_000 }).default(0).meta({
      description:
        'Acknowledged transactions that a failover may lose: one that would lose more, or cannot count them, is refused, or asks a person',
    }),
  },
  'the section failover',
);

const continuityPolicy = z.strictObject(
  {
    outage: duration.default('1d').meta({
      description:
        'How long a replica may be away and still catch up by itself; binary logs are kept for at least as long',
    }),
    verified: duration
      .default('15m')
      .meta({ description: 'How old the last verification that was not bad may be, for an audit' }),
    tested: duration.default('90d').meta({ description: 'How old the last failover may be, for an audit' }),
  },
  'the section continuity: { outage: 1d, tested: 90d }',
);

const watchPolicy = z.strictObject(
  {
    shard: name.default('main').meta({ description: 'Clusters of one shard are watched together, by one worker' }),
    every: duration.default('100ms').meta({ description: 'How often every host is asked' }),
    silence: duration.default('400ms').meta({
      description:
        'How long a host may say nothing, here and to the others, before it counts as silent; at least 300ms',
    }),
    observers: z.array(name, 'a list of sites').default([]).meta({
      description:
        'Sites, of `sites`, from which a worker looks at a silent primary as well (`standfast worker start --role observe --site SITE`): each is expected to agree before it counts as dead',
    }),
    heartbeat: duration.default('1s').meta({
      description:
        'How often a heartbeat row is written on the primary, by which the lag of its replicas is measured; at least 10ms',
    }),
    rehearsal: duration.default('1h').meta({
      description:
        'How often the watcher has a failover tell what it would do (`dryRun`), from its start on; `0s` never does. What has become different is told',
    }),
  },
  'the section watch: { every: 100ms, silence: 400ms }',
);

export const policy = z.strictObject(
  {
    failover: failoverPolicy.prefault({}).meta({ description: 'When and how to fail over' }),
    watch: watchPolicy.prefault({}).meta({ description: 'How the cluster is watched' }),
    placement: z
      .strictObject(
        {
          countries: z
            .array(country, 'a list of countries')
            .min(1, 'at least one country, or no section placement')
            .meta({ description: 'Countries that may hold the data' }),
        },
        'the section placement: { countries: [NO] }',
      )
      .optional()
      .meta({ description: 'Where the data may be; without it, anywhere' }),
    continuity: continuityPolicy.prefault({}).meta({ description: 'What an audit expects of the cluster over time' }),
    lag: z
      .strictObject(
        {
          warn: duration.default('1s').meta({ description: 'Lag from which verification warns' }),
          fail: duration.default('10s').meta({ description: 'Lag from which verification fails' }),
        },
        'the section lag: { warn: 1s, fail: 10s }',
      )
      .prefault({})
      .meta({ description: 'Limits of replication lag' }),
    alone: z.enum(['stop', 'async'], 'stop or async').default('async').meta({
      description:
        'With nobody left to acknowledge: `stop` keeps a new primary closed, and the last acker from being removed; `async` goes on without losslessness and records that',
    }),
    events: z.boolean('true or false').default(false).meta({
      description: 'Whether the primary, and no other server, runs the event scheduler',
    }),
  },
  'the section policy',
);
