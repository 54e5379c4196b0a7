import { asyncLocalStorage } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import { filingActivities } from '../../activities/filing.ts';
import type { ClusterPorts, HelperAnswerFields } from '../../adapters/ports.ts';
import { contextOf } from './sim/attempt.ts';
import { simulatedPorts } from './sim/ports.ts';
import { SimulatedShop } from './sim/shop.ts';

const errand = { cluster: 'shop', run: 'run-1', fileset: 'uploads', source: 'db1', target: 'db2' };
const fileset = { name: 'uploads', path: '/srv/uploads/', marker: '.standfast', maxDelete: 10 };

/** The helpers of a source and a target, each of whose pushes ends as told; the last one over and over. */
class Hosts {
  readonly #settled: boolean;
  readonly #exits: string[];
  #opened = 0;
  #exit = '0';
  #sent: Readonly<Record<string, string>> = {};
  /** Of each push: what was to become of entries that the source lacks, and in which folder. */
  readonly pushes: string[] = [];

  constructor(exits: readonly string[], settled: boolean) {
    this.#exits = [...exits];
    this.#settled = settled;
  }

  readonly request = (verb: string, args: Readonly<Record<string, string>> = {}): Promise<HelperAnswerFields> =>
    Promise.resolve(this.#answer(verb, args));

  #answer(verb: string, args: Readonly<Record<string, string>>): HelperAnswerFields {
    switch (verb) {
      case 'hello':
        return { version: 'simulated' };
      case 'files-open':
        this.#opened += 1;
        return { stamp: `T${String(this.#opened)}`, settled: this.#settled ? 'yes' : 'no' };
      case 'files-send':
        this.#send(args);
        return {};
      case 'files-status':
        return this.#status();
      default:
        return { attempt: '1', public: 'ssh-ed25519 AAAA', lines: '*deleting   only-there' };
    }
  }

  #send(args: Readonly<Record<string, string>>): void {
    this.#sent = args;
    const { deletes = '', stamp = '' } = args;
    if (deletes === 'count') this.#exit = '0';
    else {
      this.pushes.push(`${deletes} ${stamp}`);
      this.#exit = (this.#exits.length > 1 ? this.#exits.shift() : this.#exits[0]) ?? '0';
    }
  }

  #status(): HelperAnswerFields {
    const { run = '', deletes = '', stamp = '' } = this.#sent;
    if (run === '') return { state: 'absent' };
    const step = deletes === 'count' ? 'count' : 'push';
    return { state: 'done', step, exit: this.#exit, run: 'of-now', stamp, deletes, updated: '2', deleted: '1' };
  }
}

async function synchronise(hosts: Hosts) {
  const sets = [{ ...fileset, bandwidthKiBps: 0, compress: false }];
  const helper = (): { readonly request: Hosts['request'] } => hosts;
  const cluster: ClusterPorts = { ...simulatedPorts(new SimulatedShop()), filesets: sets, helper };
  const { syncFileset } = filingActivities({ cluster: () => Promise.resolve(cluster) });
  return asyncLocalStorage.run(contextOf('syncFileset', 1), () => syncFileset(errand));
}

describe('files that vanish while they are sent', () => {
  it('are sent for again, and in a first run each round sets aside into a folder of its own', async () => {
    const hosts = new Hosts(['24', '24', '0'], false);
    const { setAside, warnings } = await synchronise(hosts);
    expect(hosts.pushes).toEqual(['aside T1', 'aside T2', 'aside T3']);
    expect(setAside).toMatchObject({ count: 3, replaced: 6 });
    expect(setAside?.folder).toBe(
      ['T1', 'T2', 'T3'].map((one) => `/srv/uploads/.standfast-aside/${one}`).join(' and '),
    );
    expect(warnings).toEqual([]);
  });

  it('are sent for again in the same opening where nothing is set aside', async () => {
    const hosts = new Hosts(['24', '0'], true);
    const { setAside } = await synchronise(hosts);
    expect(hosts.pushes).toEqual(['listed T1', 'listed T1']);
    expect(setAside).toBeNull();
  });

  it('are told after three rounds', async () => {
    const { warnings } = await synchronise(new Hosts(['24'], false));
    expect(warnings).toEqual([expect.stringContaining('vanished')]);
  });
});
