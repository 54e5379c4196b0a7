import type { CliWorld, HostsApi } from './cli-io.ts';
import { explained } from './foreign-failures.ts';

/** @param consequence  what did not happen when there is no inventory to go by */
export async function openHosts(world: CliWorld, consequence: string): Promise<HostsApi> {
  try {
    return await world.openHosts();
  } catch (error) {
    throw explained(error, consequence);
  }
}
