import { SshHelper } from '../adapters/ssh.ts';
import type { HostConfig, Inventory, WitnessConfig } from '../inventory/config.ts';
import { pinnedKeysIn } from './access.ts';
import type { Secrets } from './secrets.ts';

type SshSettings = Inventory['access']['ssh'];
type Member = HostConfig | WitnessConfig;

/** One lasting SSH connection per host and address, shared by every activity of this process. */
export class HelperChannels {
  readonly #helpers = new Map<string, SshHelper>();
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  to(member: Member, ssh: SshSettings): SshHelper {
    const { name, address, sshPort: port } = member;
    const key = [name, address, String(port), ssh.user, ssh.key, ssh.knownHosts].join(' ');
    const known = this.#helpers.get(key);
    if (known !== undefined) return known;
    const helper = new SshHelper(
      { host: name, address, port },
      {
        user: ssh.user,
        privateKey: () => this.#secrets.read(ssh.key, { place: 'access.ssh.key', host: name }),
        knownHosts: () => pinnedKeysIn(ssh.knownHosts, name),
      },
    );
    this.#helpers.set(key, helper);
    return helper;
  }

  close(): void {
    for (const helper of this.#helpers.values()) helper.close();
    this.#helpers.clear();
  }
}
