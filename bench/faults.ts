import type { Lab } from '../lab/lab.ts';

/** What happens to the primary. */
export interface Fault {
  readonly strike: (lab: Lab, host: string) => void | Promise<void>;
  /** Whether the old primary can follow the new one afterwards. Of a host without power nobody can read what it alone has, so it may have to be made anew. */
  readonly returns: boolean;
}

export const FAULTS = {
  failover: {
    strike: (lab, host) => {
      lab.host(host).signal('mariadbd', 'SIGKILL');
    },
    returns: true,
  },
  'failover-hang': {
    strike: (lab, host) => {
      lab.host(host).signal('mariadbd', 'SIGSTOP');
    },
    returns: true,
  },
  'failover-power': {
    strike: (lab, host) => lab.linkDown(host),
    returns: false,
  },
} as const satisfies Readonly<Record<string, Fault>>;
