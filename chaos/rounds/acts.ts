import type { Host } from '../../lab/machine.ts';
import type { FaultKind } from './catalogue.ts';
import { controlActs } from './acts-control.ts';
import { hostActs } from './acts-host.ts';
import { serverActs } from './acts-server.ts';
import type { Fault } from './plan.ts';
import type { Scene } from './scene.ts';

/** How one kind of fault is made, and how its cause goes away. */
export interface Act {
  /** Before anybody writes: what the host needs to have for this fault to be possible. */
  readonly prepare?: (host: Host) => Promise<void>;
  readonly make: (scene: Scene, fault: Fault) => Promise<void>;
  readonly heal?: (scene: Scene, fault: Fault) => Promise<void>;
}

const ACTS = { ...hostActs, ...serverActs, ...controlActs } as const satisfies Record<FaultKind, Act>;

export const actOf = ({ kind }: Pick<Fault, 'kind'>): Act => ACTS[kind];
