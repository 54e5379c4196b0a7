import { expect, test } from 'vitest';
import { renderKeepalived } from '../../adapters/keepalived.ts';
import { parseKeepalivedFile } from '../../adapters/keepalived-file.ts';

const CLASSIC = `! Configuration File for keepalived
global_defs { router_id db1 }
vrrp_instance VI_1 {
    state MASTER
    interface eth0   # the LAN
    virtual_router_id 51
    priority 101
    authentication {
        auth_type PASS
        auth_pass 1111
    }
    virtual_ipaddress {
        192.168.10.50/24 dev eth1 label eth1:vip
        192.168.10.51
    }
}
vrrp_instance VI_2 { interface eth2
}
`;

test('reads what a classic configuration moves, and where', () => {
  expect(parseKeepalivedFile(CLASSIC).instances).toEqual([
    {
      name: 'VI_1',
      interface: 'eth0',
      routerId: 51,
      priority: 101,
      addresses: [
        { address: '192.168.10.50', prefix: 24, device: 'eth1' },
        { address: '192.168.10.51', prefix: null, device: null },
      ],
    },
    { name: 'VI_2', interface: 'eth2', routerId: null, priority: null, addresses: [] },
  ]);
});

test('reads the configuration that Standfast writes', () => {
  const text = renderKeepalived({
    self: { name: 'db1', address: '10.0.0.1' },
    peers: [{ address: '10.0.0.2' }],
    vip: { address: '10.0.0.50/24', interface: 'eth0', routerId: 9 },
  });
  expect(parseKeepalivedFile(text).instances).toMatchObject([
    { interface: 'eth0', routerId: 9, addresses: [{ address: '10.0.0.50', prefix: 24, device: 'eth0' }] },
  ]);
});

test.each(['', '{', 'vrrp_instance', 'vrrp_instance VI {', '}}}', 'vrrp_instance VI { virtual_ipaddress {'])(
  'takes "%s" without an end for what it is',
  (text) => {
    expect(parseKeepalivedFile(text).instances.flatMap(({ addresses }) => addresses)).toEqual([]);
  },
);
