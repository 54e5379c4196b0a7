import type { DiscoveryOrder } from '../inventory/draft.ts';
import { renderDraft } from '../inventory/draft.ts';
import { discover } from './discovery.ts';
import { draftFrom } from './drafting.ts';

/** The text of an inventory of what runs at `from`, and around it. Changes nothing there. @throws PlainSshError */
export async function draftInventory({ from, cluster, ...ssh }: DiscoveryOrder): Promise<string> {
  const found = await discover(from, {
    user: ssh.sshUser,
    port: ssh.sshPort,
    keyFile: ssh.sshKey,
    knownHostsFile: ssh.knownHosts,
  });
  return renderDraft(draftFrom(found, { cluster, from, at: new Date().toISOString(), sshPort: ssh.sshPort ?? 22 }));
}
