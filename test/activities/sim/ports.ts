import type { HostName } from '../../../domain/cluster.ts';
import type { ClusterPorts, Deadline, HelperAnswerFields } from '../../../adapters/ports.ts';
import { AdapterFailure } from '../../../adapters/ports.ts';
import type { Arguments } from './member.ts';
import { declaredOf } from './audit.ts';
import { HelperRefusal } from './refusal.ts';
import { addressOf, VIP } from './address.ts';
import { SimulatedPulse } from './pulse.ts';
import { openSimulated, pass } from './session.ts';
import type { SimulatedShop } from './shop.ts';

const REQUEST_MS = 5_000;
/** From their first byte on: `tail-export` is told from where. */
const READING_WHOLE_LOGS: readonly string[] = ['binlog-end', 'tail-list'];

/** The ports of one simulated cluster: everything that an activity may touch. */
export function simulatedPorts(shop: SimulatedShop): ClusterPorts {
  return {
    description: shop.description,
    owner: shop.owner,
    operationAccount: 'standfast',
    vip: { address: VIP, prefix: 24, interface: 'eth0' },
    events: shop.runsEvents,
    declared: declaredOf(shop.description),
    filesets: [],
    helper: (host) => ({
      request: (verb, args, deadline) => request(shop, host, { verb, args: args ?? {}, deadline: deadline ?? {} }),
    }),
    session: (host, deadline) => openSimulated(shop, host, deadline),
    pulse: (host) => new SimulatedPulse(shop, host),
    seenFrom: (site, host) => shop.seenFrom(site, host),
    vipSession: (deadline) => openVip(shop, deadline),
    endpoint: (host) => ({ address: addressOf(host), port: 3306 }),
    sshPort: () => 22,
    isThere: async (host, timeoutMs) => {
      const isThere = shop.isReachable(host);
      if (!isThere) await pass(timeoutMs);
      return isThere;
    },
    nameOf: (address) => shop.description.hosts.find((one) => addressOf(one.name) === address)?.name ?? null,
    replicationAccount: () =>
      shop.secretFault === null
        ? Promise.resolve({ name: 'repl', password: 'secret' })
        : Promise.reject(new AdapterFailure({ type: 'BadInput', host: 'shop', message: shop.secretFault })),
    keepalivedConfiguration: () => '',
    helperScript: () => Promise.resolve({ text: '', version: 'simulated', sha256: '' }),
    pinnedKeys: (host) => Promise.resolve(`${addressOf(host)} ssh-ed25519 AAAA`),
    sshUser: 'standfast',
    powerOff: (host) => {
      try {
        return Promise.resolve(shop.powerHook(host));
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}

interface Errand {
  readonly verb: string;
  readonly args: Arguments;
  readonly deadline: Deadline;
}

async function request(
  shop: SimulatedShop,
  host: HostName,
  { verb, args, deadline }: Errand,
): Promise<HelperAnswerFields> {
  const label = `${host} ${verb}`;
  await pass(1);
  await shop.reached('before', label);
  if (!shop.isReachable(host)) {
    await pass(deadline.timeoutMs ?? REQUEST_MS);
    throw new AdapterFailure({
      type: 'Unreachable',
      host,
      silence: 'silent',
      message: `${host} does not answer over SSH`,
    });
  }
  if (READING_WHOLE_LOGS.includes(verb)) await read(shop, host, deadline.timeoutMs ?? REQUEST_MS);
  shop.move();
  const answer = carryOut(shop, host, { verb, args });
  shop.move();
  await shop.reached('after', label);
  return answer;
}

async function read({ logReadingMs }: SimulatedShop, host: HostName, withinMs: number): Promise<void> {
  await pass(Math.min(logReadingMs, withinMs));
  if (logReadingMs <= withinMs) return;
  const message = `${host} does not answer over SSH in time`;
  throw new AdapterFailure({ type: 'Unreachable', host, silence: 'hung', message });
}

function carryOut(shop: SimulatedShop, host: HostName, { verb, args }: Omit<Errand, 'deadline'>): HelperAnswerFields {
  try {
    return shop.member(host).carryOut(verb, args);
  } catch (error) {
    if (!(error instanceof HelperRefusal)) throw error;
    throw new AdapterFailure({ type: error.type, host, message: `${host} refused ${verb}: ${error.message}` });
  }
}

async function openVip(shop: SimulatedShop, deadline: Deadline = {}) {
  const holder = shop.vipLeadsTo ?? shop.holderSeenBy(null)?.name ?? null;
  if (holder === null) {
    await pass(deadline.timeoutMs ?? REQUEST_MS);
    throw new AdapterFailure({
      type: 'Unreachable',
      host: 'the VIP',
      silence: 'silent',
      message: 'the VIP is on no host',
    });
  }
  return openSimulated(shop, holder, deadline);
}

/** The helper died, or the connection was cut, after the order had its effect and before anybody heard of it. */
export const noAnswer = (host: HostName): never => {
  throw new AdapterFailure({
    type: 'Unverified',
    host,
    silence: 'silent',
    message: `${host}: no answer, and the order may have been carried out`,
  });
};
