import type { AccessRules } from './access.ts';
import type { CseIdentity } from './address.ts';
import type { Sights } from './sights.ts';
import type { Neighbours } from './storage-client.ts';

export interface ProcessingSettings extends CseIdentity, AccessRules {
  /** Patterns of originators that may register AEs. */
  readonly registration: readonly string[];
  /** Most items of one list or discovery. */
  readonly listLimit: number;
}

/** All that an operation works with. */
export interface Workbench {
  readonly neighbours: Neighbours;
  readonly sights: Sights;
  readonly settings: ProcessingSettings;
  /** A new part of a resource id. */
  readonly newId: () => string;
  /** `to` of the request, in the form that the data storage knows. */
  readonly to: string;
}
