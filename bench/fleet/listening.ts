import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

/** @returns the port, which is a free one for 0 */
export async function listening(server: Server, port: number, address: string): Promise<number> {
  server.listen(port, address);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Each at its own address, all at one port. */
export async function listenAt(addresses: readonly string[], servers: readonly Server[]): Promise<number> {
  let port = 0;
  for (const [place, address] of addresses.entries()) {
    const server = servers[place];
    if (server !== undefined) port = await listening(server, port, address);
  }
  return port;
}
