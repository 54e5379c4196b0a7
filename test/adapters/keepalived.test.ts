import { describe, expect, it } from 'vitest';
import type { KeepalivedInput } from '../../adapters/keepalived.ts';
import { renderKeepalived } from '../../adapters/keepalived.ts';

const input: KeepalivedInput = {
  self: { name: 'db1', address: '10.0.0.1' },
  peers: [{ address: '10.0.0.2' }, { address: '10.0.0.3' }],
  vip: { address: '192.168.10.50/24', interface: 'eth0', routerId: 51 },
};
const lines = renderKeepalived(input)
  .split('\n')
  .map((line) => line.trim());

describe('renderKeepalived', () => {
  it('makes every host start as BACKUP with the same priority, so that only the role decides', () => {
    expect(lines).toEqual(
      expect.arrayContaining(['state BACKUP', 'priority 240', 'virtual_router_id 51', 'vrrp_version 3']),
    );
    expect(lines).not.toContain('nopreempt');
    const other = renderKeepalived({
      ...input,
      self: { name: 'db2', address: '10.0.0.2' },
      peers: [{ address: '10.0.0.1' }],
    });
    expect(/priority (\d+)/.exec(other)?.[1]).toBe('240');
  });

  it('tracks one file twice: reversed as the gate, weighted as the order', () => {
    expect(lines.filter((line) => line === 'file /run/vip-role')).toHaveLength(2);
    expect(lines.filter((line) => line.startsWith('weight'))).toEqual(['weight 1', 'weight 0 reverse']);
    expect(lines.slice(-6)).toEqual(['track_file {', 'epoch', 'role', '}', '}', '']);
  });

  it('talks to its peers only, from its own address', () => {
    const at = lines.indexOf('unicast_peer {');
    expect(lines.slice(at - 1, at + 4)).toEqual([
      'unicast_src_ip 10.0.0.1',
      'unicast_peer {',
      '10.0.0.2',
      '10.0.0.3',
      '}',
    ]);
    expect(lines).toContain('check_unicast_src');
    expect(lines).toContain('192.168.10.50/24 dev eth0');
  });

  it.each<[string, Partial<KeepalivedInput>, string]>([
    ['an address without its prefix', { vip: { ...input.vip, address: '192.168.10.50' } }, 'it needs its prefix'],
    ['a second directive in a name', { self: { name: 'db1\n}', address: '10.0.0.1' } }, 'host name'],
    ['a host name as an address', { peers: [{ address: 'db2.example' }] }, 'address "db2.example"'],
    ['a router ID out of range', { vip: { ...input.vip, routerId: 256 } }, 'routerId 256'],
    ['an interface with a space', { vip: { ...input.vip, interface: 'eth 0' } }, 'interface "eth 0"'],
    ['no peers', { peers: [] }, 'empty list of peers'],
  ])('refuses %s', (_, change, message) => {
    expect(() => renderKeepalived({ ...input, ...change })).toThrow(message);
  });
});
