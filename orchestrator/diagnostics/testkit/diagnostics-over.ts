import { randomIds, silentLogger, systemClock, type Clock } from '../../../kernel/index.ts';
import type { StateStore } from '../../store/index.ts';
import { createDiagnostics, type Diagnostics } from '../index.ts';
import type { DiagnosticsOptions } from '../context.ts';

/** Diagnostics over a store; without `siteOf` nothing is driven by this process. */
export function diagnosticsOver(
  store: StateStore,
  {
    clock = systemClock,
    siteOf,
  }: { readonly clock?: Clock; readonly siteOf?: DiagnosticsOptions['siteOf'] } = {},
): Diagnostics {
  return createDiagnostics({
    store,
    clock,
    ids: randomIds,
    log: silentLogger,
    siteOf:
      siteOf ??
      ((vimId) => {
        throw new RangeError(`nothing drives ${vimId} here`);
      }),
  });
}
