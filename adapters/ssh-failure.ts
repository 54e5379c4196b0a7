import type { HostName } from '../domain/cluster.ts';
import type { Silence } from '../domain/observation.ts';
import { AdapterFailure } from './ports.ts';

/** What went wrong on the way to a host helper. */
export type SshReason =
  'refused' | 'silent' | 'hung' | 'closed' | 'authentication' | 'unpinned' | 'host-key' | 'not-installed' | 'protocol';

export interface SshPlace {
  readonly host: HostName;
  readonly address: string;
  readonly port: number;
}

interface Explanation {
  readonly silence: Silence;
  /** After "db1 (10.0.0.1:22) ". */
  readonly says: string;
  readonly remedy: string;
}

const REASONS: Readonly<Record<SshReason, Explanation>> = {
  refused: { silence: 'refused', says: 'refuses SSH connections', remedy: 'start sshd there, or check sshPort' },
  silent: { silence: 'silent', says: 'does not answer', remedy: 'the host is off, or the network to it is cut' },
  hung: {
    silence: 'hung',
    says: 'accepts the connection and then says nothing',
    remedy: 'look at the host: it may be frozen or overloaded',
  },
  closed: {
    silence: 'lost',
    says: 'ended the connection',
    remedy: 'ask again; look at the log of sshd if it stays so',
  },
  authentication: {
    silence: 'denied',
    says: 'does not accept the SSH key of the inventory (access.ssh)',
    remedy: 'install the host helper with this key (adapters/host/install.sh)',
  },
  unpinned: {
    silence: 'denied',
    says: 'has no key that is pinned in access.ssh.knownHosts of the inventory, so nothing was sent to it',
    remedy:
      'pin its key: ssh-keyscan -t ed25519 -p PORT ADDRESS, compare with what the host itself shows (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and add it to that file',
  },
  'host-key': {
    silence: 'denied',
    says: 'did not show a host key that is pinned in known_hosts',
    remedy: 'nothing was sent to it; find out why the key is another, and only then pin it',
  },
  'not-installed': {
    silence: 'denied',
    says: 'does not run the host helper for this account',
    remedy: 'install it as root on the host (adapters/host/install.sh)',
  },
  protocol: {
    silence: 'lost',
    says: 'answered something that the host helper never says',
    remedy: 'look for output of login scripts there',
  },
};

export class SshFailure extends AdapterFailure {
  readonly reason: SshReason;
  readonly detail: string;
  /** The message is both. */
  readonly what: string;
  readonly remedy: string;

  constructor(input: {
    place: SshPlace;
    reason: SshReason;
    detail?: string;
    type?: 'Unreachable' | 'Unverified';
    cause?: unknown;
  }) {
    const { place, reason, detail = '' } = input;
    const { silence, says, remedy } = REASONS[reason];
    const where = `${place.host} (${place.address}:${String(place.port)})`;
    const what = `${where} ${says}${detail === '' ? '' : ` (${detail})`}`;
    super({
      type: input.type ?? 'Unreachable',
      message: `${what}; ${remedy}`,
      host: place.host,
      silence,
      cause: input.cause,
    });
    this.name = 'SshFailure';
    this.reason = reason;
    this.detail = detail;
    this.what = what;
    this.remedy = remedy;
  }
}

const REFUSED = new Set(['ECONNREFUSED']);
const SILENT = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL']);

/** The one place where an error of the driver gets its meaning: by its code and level, never by its text. */
export function reasonOf(error: Error & { readonly code?: unknown; readonly level?: unknown }): SshReason {
  if (error.level === 'client-authentication') return 'authentication';
  if (error.level === 'client-timeout') return 'silent';
  if (typeof error.code !== 'string') return 'closed';
  if (REFUSED.has(error.code)) return 'refused';
  return SILENT.has(error.code) ? 'silent' : 'closed';
}
