import type { Clock, IdSource, VimId } from '../../kernel/index.ts';
import type { VimExtra, VimInterfaceInfo, VimType } from '../domain/index.ts';
import type { Inventory } from '../inventory/index.ts';
import type { StateStore, StoredRecord, Write } from '../store/index.ts';
import type { SecretBox } from './secret-box.ts';
import type { Site } from './site.ts';
import type { VimAccessInfo } from './vim-access.ts';

/** As the API takes it, valid by its schema. */
export interface VimRegistration {
  readonly vimId: VimId;
  readonly vimType: VimType;
  readonly interfaceInfo?: VimInterfaceInfo;
  readonly accessInfo?: VimAccessInfo;
  readonly extra?: VimExtra;
}

/** A merge patch, but for `accessInfo`, which is replaced as a whole; null: none. */
export interface VimModifications {
  readonly interfaceInfo?: unknown;
  readonly accessInfo?: unknown;
  readonly extra?: unknown;
}

export interface VimUseCasesOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly inventory: Inventory;
  readonly secrets: SecretBox;
  /** What the schema of a registration says of a value; undefined: nothing. */
  readonly checkRegistration: (
    value: unknown,
  ) => { readonly pointer: string; readonly text: string } | undefined;
  /** As of `Sites`. */
  readonly requireSite: (vimId: string) => Pick<Site, 'check' | 'countWorkloads'>;
}

export interface VimUseCases {
  /** @throws IotmanoError `unprocessable`, `conflict` where the id is taken, `unavailable` where nothing can be sealed */
  register(
    request: VimRegistration,
    alongside: (created: StoredRecord<'vim-connection'>) => readonly Write[],
  ): Promise<StoredRecord<'vim-connection'>>;
  /** @throws IotmanoError `malformed-request`, `unprocessable`, `conflict` for what must stay while functions are there, `revision-conflict` */
  modify(
    record: StoredRecord<'vim-connection'>,
    changes: VimModifications,
  ): Promise<StoredRecord<'vim-connection'>>;
  /** @throws IotmanoError `conflict` while something is assigned or still there, `unavailable` where a VIM that can be reached does not say what is there */
  remove(record: StoredRecord<'vim-connection'>): Promise<void>;
}
