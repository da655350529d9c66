import type { HostId } from '../../kernel/index.ts';
import type { PlacementConstraints } from '../domain/index.ts';

/** SOL003 CreateVnfRequest. */
export interface CreateVnf {
  readonly vnfdId: string;
  readonly vnfInstanceName?: string;
  readonly vnfInstanceDescription?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** SOL003 InstantiateVnfRequest; ours is what is in `additionalParams`. */
export interface InstantiateVnf {
  readonly flavourId: string;
  readonly instantiationLevelId?: string;
  readonly vnfConfigurableProperties?: Readonly<Record<string, unknown>>;
  readonly additionalParams?: {
    readonly constraints?: PlacementConstraints;
    readonly coverage?: string;
    readonly bind?: Readonly<Record<string, string>>;
  };
}

/** What a HEAL operation is told beyond SOL003's own parameters, in `additionalParams`. */
export interface HealParams {
  /** VNFC instance ids, or names like `processor-0`; absent: the copies that are not well, and where all are well, all of them. */
  readonly vnfcInstanceIds?: readonly string[];
  /** Place anew what has failed where it is, where that is allowed and possible. */
  readonly elsewhere?: boolean;
  /** Copies, by VNFC instance id or name, that move, each to the host named: well or not, there or not at all. */
  readonly targetHosts?: Readonly<Record<string, HostId>>;
}

export interface HealVnf {
  readonly cause?: string;
  readonly additionalParams?: HealParams;
}
