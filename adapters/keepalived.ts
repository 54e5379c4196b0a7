/** One database host as keepalived sees it. Addresses without prefix. */
export interface KeepalivedHost {
  readonly name: string;
  readonly address: string;
}

/** The floating address: `address` with its prefix (`192.168.10.50/24`). */
export interface FloatingAddress {
  readonly address: string;
  readonly interface: string;
  readonly routerId: number;
}

export interface KeepalivedInput {
  readonly self: KeepalivedHost;
  readonly peers: readonly Pick<KeepalivedHost, 'address'>[];
  readonly vip: FloatingAddress;
}

const ROLE_FILE = '/run/vip-role';
const PRIORITY = 240;
const ADDRESS = /^(?:\d{1,3}\.){3}\d{1,3}$/;
const ADDRESS_WITH_PREFIX = /^(?:\d{1,3}\.){3}\d{1,3}\/(?:[1-9]|[12]\d|3[0-2])$/;
const INTERFACE = /^[\w.@-]{1,15}$/;
const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

/**
 * Renders `keepalived.conf` for one host: keepalived follows the role file, it never elects.
 *
 * Two track files read one file. `role` (reverse, weight 0) puts the host in FAULT while the file is missing, empty or 0; `epoch` adds the
 * role to a priority that is the same everywhere, so the newer order wins. The FIFO lies directly in /run because keepalived may
 * start at boot before anything has made a folder there, and a missing folder makes its tracking disappear silently.
 */
export function renderKeepalived(input: KeepalivedInput): string {
  refuseUnusable(input);
  const { self, peers, vip } = input;
  return `# Written by Standfast for ${self.name}. The role in ${ROLE_FILE} decides; VRRP does not.
global_defs {
    router_id ${self.name}
    enable_script_security
    script_user root
    vrrp_version 3
    vrrp_garp_master_delay 1
    vrrp_garp_master_repeat 3
    vrrp_notify_fifo /run/standfast-vip.fifo
    vrrp_notify_fifo_script "/usr/local/sbin/standfast-host vip-notify"
}

track_file epoch {
    file ${ROLE_FILE}
    weight 1
}

track_file role {
    file ${ROLE_FILE}
    weight 0 reverse
}

vrrp_instance VIP {
    state BACKUP
    interface ${vip.interface}
    virtual_router_id ${String(vip.routerId)}
    priority ${String(PRIORITY)}
    advert_int 0.1
    check_unicast_src
    unicast_src_ip ${self.address}
    unicast_peer {
${peers.map((peer) => `        ${peer.address}`).join('\n')}
    }
    virtual_ipaddress {
        ${vip.address} dev ${vip.interface}
    }
    track_file {
        epoch
        role
    }
}
`;
}

/** The text goes into a root-owned file that starts programs: nothing but names, addresses and numbers may enter it. */
function refuseUnusable({ self, peers, vip }: KeepalivedInput): void {
  const faults = [
    NAME.test(self.name) ? undefined : `host name "${self.name}"`,
    ...[self, ...peers].map(({ address }) => (ADDRESS.test(address) ? undefined : `address "${address}"`)),
    ADDRESS_WITH_PREFIX.test(vip.address)
      ? undefined
      : `VIP "${vip.address}" (it needs its prefix, like 192.168.10.50/24)`,
    INTERFACE.test(vip.interface) ? undefined : `interface "${vip.interface}"`,
    Number.isInteger(vip.routerId) && vip.routerId >= 1 && vip.routerId <= 255
      ? undefined
      : `routerId ${String(vip.routerId)} (1 to 255)`,
    peers.length > 0 ? undefined : 'an empty list of peers (VRRP would fall back to multicast)',
  ].filter((fault) => fault !== undefined);
  if (faults.length > 0) {
    throw new RangeError(`Cannot render keepalived.conf for ${self.name}: unusable ${faults.join(', ')}`);
  }
}
