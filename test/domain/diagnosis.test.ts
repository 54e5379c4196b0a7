import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose as diagnoseEvidence, diagnosePrimary } from '../../domain/diagnosis.ts';
import type { HostObservation, Silence } from '../../domain/observation.ts';
import { answers, channel, DB2, healthy, helper, replicaStatus, seen, serverStatus, silence, witness } from './shop.ts';

const DEAF = { hearsSource: false } as const;
const HEARS = { hearsSource: true } as const;
const POWERLESS = { helper: silence(), server: silence() } as const;
const CRASHED = { helper: helper({ mysqld: 'stopped' }), server: silence('refused') } as const;

const diagnose = (
  db1: Partial<HostObservation>,
  db2: Partial<HostObservation> = DEAF,
  db3: Partial<HostObservation> = DEAF,
) => diagnosePrimary(seen({ db1, db2, db3 }), 'db1');

describe('signs of life', () => {
  it('leaves a primary alone that answers and accepts writes', () => {
    expect(diagnose({})).toMatchObject({ code: 'PrimaryServes', consequence: 'leave' });
  });

  it('opens a primary again that answers and refuses writes', () => {
    expect(diagnose({ server: answers(serverStatus({ readOnly: true })) })).toMatchObject({
      code: 'PrimaryClosed',
      consequence: 'reopen',
    });
  });

  it.each([
    ['full', 'PrimaryFull'],
    ['denied', 'PrimaryDenies'],
    ['faulty', 'PrimaryFaulty'],
  ] as const)('leaves a primary alone whose server is "%s": it is alive', (reach, code) => {
    expect(diagnose({ server: silence(reach) })).toMatchObject({ code, consequence: 'leave' });
  });

  it('takes a primary for full whose host lets only members connect for a moment, while its server runs', () => {
    const refused = silence('refused');
    const keepsOut = { refusesClients: true } as const;
    expect(diagnose({ helper: helper(keepsOut), server: refused })).toMatchObject({ code: 'PrimaryFull' });
    const dead = helper({ ...keepsOut, mysqld: 'stopped' });
    expect(diagnose({ helper: dead, server: refused })).toMatchObject({ code: 'PrimaryProcessDead' });
    expect(diagnose({ helper: helper(keepsOut), server: silence('hung') })).toMatchObject({ code: 'PrimaryHung' });
  });

  it('outweigh every sign of death: an answer counts, whatever the helper and the replicas say', () => {
    expect(diagnose({ helper: helper({ mysqld: 'stopped' }) })).toMatchObject({ code: 'PrimaryServes' });
    expect(diagnose({ helper: silence() })).toMatchObject({ code: 'PrimaryServes' });
    expect(diagnose({ helper: silence(), server: silence('full') })).toMatchObject({ code: 'PrimaryFull' });
    expect(diagnose({ ...CRASHED, server: silence('denied') })).toMatchObject({ code: 'PrimaryDenies' });
  });

  it.each<Silence>(['refused', 'silent', 'hung', 'lost'])(
    'refuses while one replica still hears a primary whose server is "%s" here',
    (reach) => {
      for (const answer of [helper(), silence()])
        expect(diagnose({ helper: answer, server: silence(reach) }, HEARS, DEAF)).toMatchObject({
          code: 'PrimaryHeardByReplicas',
          consequence: 'refuse',
        });
    },
  );
});

describe('signs of death', () => {
  it('fails over at once when the host answers and says that no server runs', () => {
    expect(diagnose(CRASHED)).toMatchObject({ code: 'PrimaryProcessDead', consequence: 'failOver' });
  });

  it('believes the host of a dead process before a replica that heard it a moment ago', () => {
    expect(diagnose(CRASHED, HEARS, HEARS)).toMatchObject({ code: 'PrimaryProcessDead' });
  });

  it('needs no replica to know of a dead process', () => {
    expect(diagnose(CRASHED, POWERLESS, POWERLESS)).toMatchObject({ code: 'PrimaryProcessDead' });
  });

  it('fails over from a process that exists and answers nobody', () => {
    expect(diagnose({ server: silence('hung') })).toMatchObject({ code: 'PrimaryHung', consequence: 'failOver' });
  });

  it('fails over from a silent host when a majority of the observers agrees', () => {
    expect(diagnose(POWERLESS)).toMatchObject({ code: 'PrimaryHostDead', consequence: 'failOver' });
  });
});

describe('an observer that cannot ask, for a reason of its own', () => {
  const unasked = {
    server: 'unasked',
    process: null,
    hearing: [false, false],
    elsewhere: [],
    expectedObservers: 3,
  } as const;

  it('has no vote: what it does not see is no death, and no life', () => {
    expect(diagnoseEvidence({ ...unasked, process: 'running' })).toMatchObject({
      code: 'PrimaryUnasked',
      consequence: 'refuse',
    });
    expect(diagnoseEvidence(unasked)).toMatchObject({ code: 'PrimaryUnasked' });
  });

  it('still believes the host that says that no server runs', () => {
    expect(diagnoseEvidence({ ...unasked, process: 'stopped' })).toMatchObject({ code: 'PrimaryProcessDead' });
  });
});

describe('the workers of other sites', () => {
  const cutOff = { server: 'silent', process: null, hearing: [false, false] } as const;
  const judged = (...elsewhere: readonly (boolean | null)[]) =>
    diagnoseEvidence({ ...cutOff, elsewhere, expectedObservers: 3 + elsewhere.length });

  it('keep a failover from a primary that one of them reaches, though everybody here is deaf to it', () => {
    for (const others of [[], [false], [null], [false, false, false]])
      expect(judged(...others, true)).toMatchObject({ code: 'PrimaryReachedElsewhere', consequence: 'refuse' });
  });

  it('are expected: each that cannot say is one more that does not agree', () => {
    expect(judged(null, null).code).toBe('PrimaryHostDead');
    expect(judged(null, null, null).code).toBe('PrimaryUncertain');
    expect(judged(null, null, false).code).toBe('PrimaryHostDead');
  });

  it('vote as a replica does', () => {
    const alone = { ...cutOff, hearing: [] };
    expect(diagnoseEvidence({ ...alone, elsewhere: [false], expectedObservers: 4 }).code).toBe('PrimaryUncertain');
    expect(diagnoseEvidence({ ...alone, elsewhere: [false, false], expectedObservers: 5 }).code).toBe(
      'PrimaryHostDead',
    );
  });

  it('are not needed for a server that does not run, by the word of its host', () => {
    const stopped = { ...cutOff, process: 'stopped', server: 'refused', expectedObservers: 5 } as const;
    for (const reaches of [true, false, null])
      expect(diagnoseEvidence({ ...stopped, elsewhere: [reaches, null] }).code).toBe('PrimaryProcessDead');
  });

  it('say something of the one that they were asked about, and of nobody else', () => {
    const about = (host: string, reaches: boolean | null) =>
      diagnosePrimary(
        {
          ...seen({ db1: POWERLESS, db2: DEAF, db3: POWERLESS }),
          elsewhere: [{ site: 'bergen', host, reaches }],
        },
        'db1',
      ).code;
    expect(about('db1', true)).toBe('PrimaryReachedElsewhere');
    expect(about('db1', false)).toBe('PrimaryHostDead');
    expect(about('db1', null)).toBe('PrimaryUncertain');
    expect(about('db2', true)).toBe('PrimaryUncertain');
    expect(about('db2', false)).toBe('PrimaryUncertain');
  });
});

describe('the majority of the expected observers', () => {
  it('is reached by the worker and one of two replicas', () => {
    expect(diagnose(POWERLESS, DEAF, { hearsSource: null })).toMatchObject({ code: 'PrimaryHostDead' });
    expect(diagnose(POWERLESS, DEAF, POWERLESS)).toMatchObject({ code: 'PrimaryHostDead' });
  });

  it('is not reached by a worker that is cut off alone', () => {
    const alone = diagnose(POWERLESS, POWERLESS, POWERLESS);
    expect(alone).toMatchObject({ code: 'PrimaryUncertain', consequence: 'refuse' });
    expect(diagnose({ server: silence('hung') }, POWERLESS, POWERLESS)).toMatchObject({ code: 'PrimaryUncertain' });
  });

  it('is not reached by replicas that have no opinion', () => {
    expect(diagnose(POWERLESS, { hearsSource: null }, { hearsSource: null })).toMatchObject({
      code: 'PrimaryUncertain',
    });
  });

  it('does not count a replica of another server', () => {
    const stranger = { ...DEAF, server: answers(replicaStatus(DB2, { replication: channel({ source: 'db3' }) })) };
    const nobody = { ...DEAF, server: answers(replicaStatus(DB2, { replication: null })) };
    expect(diagnose(POWERLESS, stranger, POWERLESS)).toMatchObject({ code: 'PrimaryUncertain' });
    expect(diagnose(POWERLESS, nobody, POWERLESS)).toMatchObject({ code: 'PrimaryUncertain' });
    expect(diagnose(POWERLESS, { ...stranger, ...HEARS }, DEAF)).toMatchObject({ code: 'PrimaryHostDead' });
  });

  it('does not count a replica that does not answer, whatever was heard from it before', () => {
    expect(diagnose(POWERLESS, { ...POWERLESS, ...DEAF }, POWERLESS)).toMatchObject({ code: 'PrimaryUncertain' });
    expect(diagnose(POWERLESS, { ...POWERLESS, ...HEARS }, DEAF)).toMatchObject({ code: 'PrimaryHostDead' });
  });

  it('counts the only replica of two hosts together with the worker, and needs both', () => {
    const two = (db2: Partial<HostObservation>) =>
      diagnosePrimary(seen({ db1: POWERLESS, db2 }, ['db1', 'db2']), 'db1').code;
    expect(two(DEAF)).toBe('PrimaryHostDead');
    expect(two(POWERLESS)).toBe('PrimaryUncertain');
  });

  it('expects no opinion of witnesses, which receive nothing', () => {
    const databases = seen({ db1: POWERLESS, db2: DEAF, db3: POWERLESS });
    const hosts = [...databases.hosts, witness('wit1'), witness('wit2')];
    expect(diagnosePrimary({ ...databases, hosts }, 'db1').code).toBe('PrimaryHostDead');
  });

  it('does not let the primary vote on itself', () => {
    const own = { ...CRASHED, ...DEAF, helper: silence() };
    expect(diagnose(own, POWERLESS, POWERLESS)).toMatchObject({ code: 'PrimaryUncertain' });
  });
});

describe('any observation', () => {
  const reach = fc.constantFrom<Silence>('refused', 'silent', 'hung', 'denied', 'full', 'lost');
  const anyServer = fc.oneof(
    reach.map((word) => silence(word)),
    fc.boolean().map((readOnly) => answers(serverStatus({ readOnly }))),
  );
  const anyHelper = fc.oneof(
    reach.map((word) => silence(word)),
    fc.constantFrom('running' as const, 'stopped' as const).map((mysqld) => helper({ mysqld })),
  );
  const anyPrimary = fc.record({ helper: anyHelper, server: anyServer });
  const anyReplica = fc.oneof(
    fc.constant(POWERLESS),
    fc.constantFrom(true, false, null).map((hearsSource) => ({ hearsSource })),
  );

  it('never fails over from a server that answers anything at all', () => {
    fc.assert(
      fc.property(anyPrimary, anyReplica, anyReplica, (db1, db2, db3) => {
        const { consequence } = diagnose(db1, db2, db3);
        if (['answers', 'full', 'denied'].includes(db1.server.reach)) expect(consequence).not.toBe('failOver');
        else expect(['failOver', 'refuse']).toContain(consequence);
      }),
    );
  });

  it('never fails over from a server that runs, or may run, and that another site reaches', () => {
    const anyVotes = fc.array(fc.constantFrom(true, false, null), { maxLength: 4 });
    fc.assert(
      fc.property(anyPrimary, anyReplica, anyReplica, anyVotes, (db1, db2, db3, votes) => {
        const elsewhere = votes.map((reaches, index) => ({ site: `s${String(index)}`, host: 'db1', reaches }));
        const { code, consequence } = diagnosePrimary({ ...seen({ db1, db2, db3 }), elsewhere }, 'db1');
        if (votes.includes(true) && code !== 'PrimaryProcessDead') expect(consequence).not.toBe('failOver');
        // Who cannot say makes no death more certain.
        const without = diagnosePrimary(seen({ db1, db2, db3 }), 'db1').consequence;
        if (votes.every((reaches) => reaches === null) && without !== 'failOver') expect(consequence).toBe(without);
      }),
    );
  });

  it('gives the same diagnosis in any order of the hosts', () => {
    fc.assert(
      fc.property(
        anyPrimary,
        anyReplica,
        anyReplica,
        fc.shuffledSubarray(['db1', 'db2', 'db3'], { minLength: 3 }),
        (db1, db2, db3, order) => {
          const changes = { db1, db2, db3 };
          expect(diagnosePrimary(seen(changes, order), 'db1')).toEqual(diagnosePrimary(seen(changes), 'db1'));
        },
      ),
    );
  });

  it('is explained by a sentence of its own', () => {
    const all = [
      diagnose({}),
      diagnose({ server: answers(serverStatus({ readOnly: true })) }),
      diagnose({ server: silence('full') }),
      diagnose({ server: silence('denied') }),
      diagnose(CRASHED),
      diagnose(POWERLESS, HEARS),
      diagnose({ server: silence('hung') }),
      diagnose(POWERLESS),
      diagnose(POWERLESS, POWERLESS, POWERLESS),
      diagnosePrimary(
        { ...seen({ db1: POWERLESS }), elsewhere: [{ site: 'bergen', host: 'db1', reaches: true }] },
        'db1',
      ),
    ];
    expect(new Set(all.map((one) => one.code)).size).toBe(10);
    expect(new Set(all.map((one) => one.explains)).size).toBe(10);
    expect(Object.keys(all[0] ?? {}).sort()).toEqual(['code', 'consequence', 'explains']);
  });

  it('must contain the primary', () => {
    expect(() => diagnosePrimary({ ...seen(), hosts: [healthy('db2')] }, 'db1')).toThrow(
      'db1 was not observed in shop',
    );
  });
});
