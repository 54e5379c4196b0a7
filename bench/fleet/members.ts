/** One simulated database host. All of them are on the loopback, told apart by their addresses. */
export interface Member {
  readonly cluster: string;
  readonly name: string;
  readonly address: string;
  readonly role: 'primary' | 'replica';
  /** Of the cluster's primary. */
  readonly source: string;
}

const HOSTS = 3;
/** 127.10.0.0 and what follows it; a byte for the cluster, a byte for the host. */
const FIRST_NETWORK = 10;
export const MOST_CLUSTERS = (256 - FIRST_NETWORK) * 256;

/** The first three bytes of the addresses of one cluster. */
export const networkOf = (index: number): string =>
  `127.${String(FIRST_NETWORK + Math.floor(index / 256))}.${String(index % 256)}`;

export const clusterName = (index: number): string => `c${String(index).padStart(4, '0')}`;

/** Every host of so many clusters of three; the first of each is primary. */
export const membersOf = (clusters: number): readonly Member[] =>
  Array.from({ length: clusters * HOSTS }, (_, index) => {
    const [cluster, place] = [Math.floor(index / HOSTS), (index % HOSTS) + 1];
    const network = networkOf(cluster);
    return {
      cluster: clusterName(cluster),
      name: `db${String(place)}`,
      address: `${network}.${String(place)}`,
      role: place === 1 ? 'primary' : 'replica',
      source: `${network}.1`,
    };
  });
