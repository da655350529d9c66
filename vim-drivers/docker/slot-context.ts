import type { Clock, HostId, Logger } from '../../kernel/index.ts';
import type { Bindings, WorkloadId, WorkloadKey, WorkloadSpec } from '../contract.ts';
import type { Containers } from './containers.ts';
import type { EngineTraits } from './create-options.ts';
import type { Engine } from './engine.ts';
import type { PresentImage } from './images.ts';
import type { Plan } from './labels.ts';
import type { Neighbours } from './neighbours.ts';
import type { Networks } from './networks.ts';
import type { Notes } from './notes.ts';
import type { PortBook } from './ports.ts';

/** What every slot of one driver shares. */
export interface SlotContext {
  readonly engine: Engine;
  readonly scope: string;
  readonly hostId: HostId;
  readonly containers: Containers;
  readonly networks: Networks;
  readonly notes: Notes;
  readonly ports: PortBook;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of those that were seen since the driver was opened. */
  readonly neighbours: Neighbours;
  /** From where others reach what runs there. */
  address(): Promise<string>;
  traits(): Promise<EngineTraits>;
  /** The engine has no init program after all. */
  withoutInit(): void;
  /** Where ports of a container are reached from here. */
  probeAddress(containerAddress: string): string;
  /** Something that `list` shows has changed. */
  changed(): void;
  /** An instance is in a network that nobody knew it in. */
  neighbourCame(): void;
}

/** What one slot is to run. */
export interface SlotWish {
  readonly id: WorkloadId;
  readonly key: WorkloadKey;
  readonly epoch: number;
  readonly specHash: string;
  readonly plan: Plan;
  /** What only an apply tells; absent: the container was found, and nobody has said yet what it is to be. */
  readonly order?: {
    readonly spec: WorkloadSpec;
    readonly labels: Readonly<Record<string, string>>;
    readonly network: string;
    readonly bindings: Bindings;
    readonly image: PresentImage;
  };
}
