import type { Lab } from '../lab/lab.ts';

/** What happens to the primary. */
export type Fault = (lab: Lab, host: string) => void;

export const FAULTS = {
  failover: (lab, host) => {
    lab.host(host).signal('mariadbd', 'SIGKILL');
  },
  'failover-hang': (lab, host) => {
    lab.host(host).signal('mariadbd', 'SIGSTOP');
  },
} as const satisfies Readonly<Record<string, Fault>>;
