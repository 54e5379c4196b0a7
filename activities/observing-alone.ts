import { readPrimary } from '../adapters/mariadb-status.ts';
import type { ClusterPorts, Ports } from '../adapters/ports.ts';
import { AdapterFailure } from '../adapters/ports.ts';
import type { HostName } from '../domain/cluster.ts';
import { failure } from '../workflows/failures.ts';
import { silenceOf } from './asking.ts';
import type { ObserverActivities, PrimaryReach } from './observe-contract.ts';

export const observerActivities = (ports: Ports): ObserverActivities => ({
  observePrimary: async ({ cluster: name, host }) => {
    try {
      const cluster = await ports.cluster(name);
      const first = await lookOnce(cluster, host);
      // A claim ends the sessions of everybody who only looks.
      return first.reach === 'lost' ? await lookOnce(cluster, host) : first;
    } catch (error) {
      if (!(error instanceof AdapterFailure)) throw error;
      throw failure(error.type, error.message, { host: error.host, ...error.facts });
    }
  },
});

async function lookOnce(cluster: ClusterPorts, host: HostName): Promise<PrimaryReach> {
  const pulse = cluster.pulse(host);
  try {
    await readPrimary(pulse, { timeoutMs: cluster.description.watch.silenceMs });
    return { reach: 'answers' };
  } catch (error) {
    return silenceOf(error);
  } finally {
    pulse.close();
  }
}
