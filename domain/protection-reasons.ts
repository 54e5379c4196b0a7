import type { RunsAnswer } from './cluster-runs.ts';
import type { ClusterDescription, HostName } from './cluster.ts';
import { describeHost, memberNames } from './cluster.ts';
import { diagnosePrimary } from './diagnosis.ts';
import type { ClusterObservation, HostObservation } from './observation.ts';
import { answeredStatuses, isAnswering, observationOf, recordsByMember } from './observation.ts';
import type { Known, PrimaryRecord, SyncRecord } from './records.ts';
import { explainUndecided, recordedPrimary } from './records.ts';
import { CLOSE_WRITER, remedyFor } from './remedies.ts';
import type { Takeover } from './takeover.ts';
import { judgeAcknowledgement } from './takeover.ts';
import type { Finding, Verdict } from './verdict.ts';
import { vipHolders } from './verdict.ts';

/** What keeps a cluster from being called protected. */
export interface Reason {
  readonly code: string;
  /** `not-protected`: it was seen to be so. `not-known`: something was not seen that decides. */
  readonly state: 'not-protected' | 'not-known';
  readonly host: HostName | null;
  readonly explains: string;
  readonly remedy: string;
}

/** All that was seen of a cluster, and what follows from it host by host. */
export interface Sight {
  readonly cluster: ClusterDescription;
  readonly observation: ClusterObservation;
  readonly runs: RunsAnswer;
  readonly primary: Known<PrimaryRecord>;
  readonly sync: Known<SyncRecord>;
  readonly takeovers: readonly Takeover[];
  /** Null while it is not known who is primary. */
  readonly verdict: Verdict | null;
}

type Found = Omit<Reason, 'code' | 'state'>;

interface Rule {
  readonly code: string;
  readonly state: Reason['state'];
  readonly find: (sight: Sight) => readonly Found[];
}

const and = (names: readonly string[]): string => names.join(' and ');
const prepare = ({ cluster, primary }: Sight): string =>
  `standfast prepare ${cluster.cluster} ${primary.kind === 'known' ? primary.record.host : 'HOST'}`;
const again = ({ cluster }: Sight): string => `standfast status ${cluster.cluster}`;

/** Every rule is judged. Those that were seen come first, the worst before all others. */
const RULES: readonly Rule[] = [
  {
    code: 'TwoVipHolders',
    state: 'not-protected',
    find: (sight) => {
      const holders = vipHolders(sight.observation);
      return holders.length < 2
        ? []
        : [{ host: null, explains: `${and(holders)} hold the VIP at the same time`, remedy: prepare(sight) }];
    },
  },
  {
    code: 'TwoWriters',
    state: 'not-protected',
    find: ({ cluster: { cluster }, observation, primary }) => {
      const writers = [...answeredStatuses(observation)].filter(([, { readOnly }]) => !readOnly).map(([host]) => host);
      const wrong = primary.kind === 'known' ? writers.find((host) => host !== primary.record.host) : undefined;
      const remedy =
        wrong === undefined
          ? `find out which one is not the primary, HOST: ${remedyFor(CLOSE_WRITER, { cluster, host: 'HOST' })}`
          : remedyFor(CLOSE_WRITER, { cluster, host: wrong });
      return writers.length < 2
        ? []
        : [{ host: null, explains: `${and(writers)} accept writes at the same time`, remedy }];
    },
  },
  {
    code: 'NeverPrepared',
    state: 'not-protected',
    find: (sight) =>
      sight.primary.kind === 'nothing'
        ? [{ host: null, explains: 'no member has a primary on record', remedy: prepare(sight) }]
        : [],
  },
  {
    code: 'MayLoseWrites',
    state: 'not-protected',
    find: (sight) => {
      if (sight.cluster.mode === 'async' || sight.primary.kind !== 'known' || sight.sync.kind === 'undecided')
        return [];
      const sync = sight.sync.kind === 'known' ? sight.sync.record : null;
      const found = judgeAcknowledgement({ ...sight, primary: sight.primary.record.host, sync });
      return found?.isCertain === true ? [{ host: null, explains: found.why, remedy: ackerRemedy(sight) }] : [];
    },
  },
  {
    code: 'UndecidedWithoutPrimary',
    state: 'not-protected',
    find: (sight) => undecidedWithoutPrimary(sight),
  },
  {
    code: 'NobodyTakesOver',
    state: 'not-protected',
    find: ({ cluster, observation, primary, takeovers }) => {
      if (primary.kind !== 'known' || !isAnswering(observationOf(observation, primary.record.host).server)) return [];
      if (takeovers.some(({ isReady, loss }) => isReady && loss !== 'unknown')) return [];
      const unseen = takeovers.filter(({ host }) => whyUnseen(observationOf(observation, host)) !== null);
      if (unseen.some(({ host }) => describeHost(cluster, host).promotable)) return [];
      const why = takeovers.map((one) => `${one.host}: ${one.why}`).join('; ') || 'it has no replica';
      return [
        { host: null, explains: `nobody can take over now (${why})`, remedy: `standfast verify ${cluster.cluster}` },
      ];
    },
  },
  {
    code: 'RecordsUndecided',
    state: 'not-known',
    find: (sight) => {
      const { cluster, observation, primary, sync } = sight;
      const answers = recordsByMember(observation);
      const whys = new Set([primary, sync].flatMap((one) => (one.kind === 'undecided' ? [one.why] : [])));
      return [...whys].map((why) => ({
        host: null,
        explains: explainUndecided(why, { all: memberNames(cluster), answers }),
        remedy: again(sight),
      }));
    },
  },
  {
    code: 'HostUnseen',
    state: 'not-known',
    find: ({ cluster, observation }) =>
      observation.hosts.flatMap((entry) => {
        const explains = whyUnseen(entry);
        const remedy = `look at ${entry.host} and the network to it, then standfast status ${cluster.cluster} --timeout 2s`;
        return explains === null ? [] : [{ host: entry.host, explains, remedy }];
      }),
  },
  {
    code: 'TemporalUnseen',
    state: 'not-known',
    find: ({ cluster, runs }) =>
      runs.reach === 'answers'
        ? []
        : [
            {
              host: null,
              explains: 'Temporal did not tell which operations run',
              remedy: `start Temporal, or set TEMPORAL_ADDRESS, then standfast status ${cluster.cluster}`,
            },
          ],
  },
  {
    code: 'OperationRuns',
    state: 'not-known',
    find: ({ cluster, runs }) => {
      const operation = runs.reach === 'answers' ? runs.runs.operation : null;
      if (operation === null) return [];
      const { type, since, phase, asksPerson } = operation;
      const where = asksPerson ? ', and waits for a person' : phase === null ? '' : `, at "${phase}"`;
      const remedy = asksPerson
        ? `standfast accept ${cluster.cluster} --by NAME --reason TEXT, with what the run asks for`
        : `standfast status ${cluster.cluster} -w`;
      return [{ host: null, explains: `${type} holds the cluster since ${since}${where}`, remedy }];
    },
  },
];

/** Findings of a verification that say of the primary or the VIP that clients are not served, or not as recorded. */
const SERVING_CODES = ['VipMisplaced', 'VipNowhere', 'PrimaryClosed', 'RefusalNotEnforced'];
const ACKER_CODES = ['NotLossless', 'RunsAsync', 'AckerDetached', 'AckerSilent', 'AckerUnrecorded'];

/** Of the finding that says it more closely, or of another one that may be the cause. */
function ackerRemedy(sight: Sight): string {
  const findings = sight.verdict?.findings ?? [];
  const cause =
    findings.find(({ code }) => ACKER_CODES.includes(code)) ?? findings.find(({ severity }) => severity === 'bad');
  return cause?.remedy ?? prepare(sight);
}

const asReason = ({ code, host, explains, remedy }: Finding): Reason => ({
  code,
  state: 'not-protected',
  host,
  explains,
  remedy,
});

/** A primary that gives no status: seen to be dead, or not seen. */
function silentPrimary(sight: Sight): readonly Reason[] {
  const { cluster, observation, primary } = sight;
  if (primary.kind !== 'known') return [];
  const { host } = primary.record;
  if (isAnswering(observationOf(observation, host).server)) return [];
  const { code, explains, consequence } = diagnosePrimary(observation, host);
  const isDead = consequence === 'failOver';
  const ready = sight.takeovers.filter((one) => one.isReady && one.loss === 'none').map((one) => one.host);
  const left =
    ready.length > 0 ? `${and(ready)} can take over without loss` : 'nobody is seen to hold all that was acknowledged';
  const remedy = isDead ? `standfast failover ${cluster.cluster}` : `look at ${host} and the network to it`;
  return [
    isDead
      ? { code, state: 'not-protected', host, explains: `${explains} (${host}); ${left}`, remedy }
      : { code, state: 'not-known', host, explains: `${explains} (${host})`, remedy },
  ];
}

export function findReasons(sight: Sight): readonly Reason[] {
  const isTwice = vipHolders(sight.observation).length > 1;
  const serving = (sight.verdict?.findings ?? [])
    .filter(({ code }) => SERVING_CODES.includes(code) && !(code === 'VipMisplaced' && isTwice))
    .map(asReason);
  const ruled = RULES.flatMap(({ code, state, find }) => find(sight).map((found) => ({ code, state, ...found })));
  const [first, rest] = [ruled.filter(isFirst), ruled.filter((reason) => !isFirst(reason))];
  const all: readonly Reason[] = [...first, ...silentPrimary(sight), ...serving, ...rest];
  return [...all.filter(({ state }) => state === 'not-protected'), ...all.filter(({ state }) => state === 'not-known')];
}

const isFirst = ({ code }: Reason): boolean => code === 'TwoVipHolders' || code === 'TwoWriters';

/** Null: its helper answered, and its server did or is known not to run. */
export function whyUnseen({ host, helper, server }: HostObservation): string | null {
  if (!isAnswering(helper)) return `${host} was not seen: its helper does not answer (${helper.why})`;
  if (server === null || isAnswering(server) || helper.mysqld === 'stopped') return null;
  return `${host} was not seen: its database does not answer (${server.why})`;
}

/** The primary takes its own records with it; those of the others have to be enough then. */
function undecidedWithoutPrimary(sight: Sight): readonly Found[] {
  const { cluster, observation, primary } = sight;
  if (primary.kind !== 'known') return [];
  const members = memberNames(cluster);
  const answers = new Map([...recordsByMember(observation)].filter(([host]) => host !== primary.record.host));
  if (answers.size < members.length - 1) return []; // who is missing is told as unseen
  const left = recordedPrimary([...answers.values()], members.length);
  if (left.kind === 'known') return [];
  const why = left.kind === 'undecided' ? left.why : 'nobody else has it on record';
  const explains = `without ${primary.record.host} nobody could tell who is primary (${why})`;
  return [{ host: null, explains, remedy: prepare(sight) }];
}
