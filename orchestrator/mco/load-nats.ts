import type * as NatsBindingModule from './nats/index.ts';

/** The binding to NATS, which costs nothing where nobody uses it. */
export function loadNatsBinding(): Promise<typeof NatsBindingModule> {
  return import('./nats/index.ts');
}
