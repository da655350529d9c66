import type { PlacementConstraints } from '../domain/index.ts';
import type { HealParams } from './plan-operation.ts';

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

export interface HealVnf {
  readonly cause?: string;
  readonly additionalParams?: HealParams;
}
