import type { Clock, IdSource, Logger } from '../../kernel/index.ts';
import type { StateStore } from '../store/index.ts';
import type { Authenticate } from './access-token.ts';
import type { ApiDocuments } from './openapi/index.ts';
import type { Route } from './route-types.ts';

export interface ApiOptions {
  /** Of all rooms; each must be described by a document. */
  readonly routes: readonly Route[];
  readonly documents: ApiDocuments;
  readonly authenticate: Authenticate;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: Logger;
  /** Called after each answer, for metrics. `route` is the template, so that it has few values. */
  readonly onAnswer?: (answer: Answered) => void;
  /** Time for a body that is read whole, milliseconds. */
  readonly maxBodyMilliseconds?: number;
}

export interface Answered {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
}
