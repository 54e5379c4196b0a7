/** What keepalived would do on one host, without the passwords in its files. */
export interface KeepalivedConfiguration {
  readonly instances: readonly VrrpInstance[];
  readonly scripts: readonly VrrpScript[];
  readonly trackFiles: readonly TrackFile[];
  readonly vrrpVersion: number;
  readonly scriptSecurity: boolean;
  /** Included from places that were not read: what is there is not known. */
  readonly unread: readonly string[];
  /** What cannot be understood, with its place. */
  readonly faults: readonly string[];
}

export interface VrrpInstance {
  readonly name: string;
  readonly state: string;
  readonly interface: string;
  readonly routerId: number | null;
  readonly priority: number;
  readonly advertSeconds: number;
  readonly nopreempt: boolean;
  readonly peers: readonly string[];
  readonly sourceAddress: string;
  /** Without prefix. */
  readonly addresses: readonly string[];
  readonly trackedScripts: readonly Tracked[];
  readonly trackedFiles: readonly Tracked[];
  readonly authType: string;
  /** Which of the cluster's different passwords it has, by a number without meaning; null: none. */
  readonly passwordNumber: number | null;
  readonly passwordTooLong: boolean;
}

/** In an instance, perhaps with a weight of its own. */
export interface Tracked {
  readonly name: string;
  readonly weight: number | null;
}

export interface VrrpScript {
  readonly name: string;
  /** Whole when it only asks for a process; otherwise its program. */
  readonly command: string;
  readonly weight: number;
}

export interface TrackFile {
  readonly name: string;
  readonly file: string;
  readonly weight: number;
  readonly reverse: boolean;
}
