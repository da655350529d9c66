import type { Route } from '../api/route.ts';
import { createMessageSequences } from '../inventory/index.ts';
import { artifactRoute } from './artifact-routes.ts';
import { identityRoutes } from './identity-routes.ts';
import type { McoContext, McoOptions } from './mco-context.ts';
import { alarmsRoute, measurementsRoute, storedMeasurementsRoute } from './monitoring-routes.ts';
import { reportRoutes } from './report-routes.ts';
import { createPolls } from './polls.ts';
import { createWantedChanges } from './wanted-changes.ts';
import { streamRoute } from './stream-route.ts';
import { wantedRoute } from './wanted-route.ts';

/** The orchestrator's ends of Mco. */
export interface Mco {
  readonly context: McoContext;
  /** Over HTTP. */
  readonly routes: readonly Route[];
  /** The same for bindings that bring messages; measurements come without a session there. */
  readonly messageRoutes: readonly Route[];
}

/** To be created before anything is committed by this leader. */
export function createMco(options: McoOptions): Mco {
  const context: McoContext = {
    ...options,
    changes: createWantedChanges(options.store),
    sequences: createMessageSequences(options.store),
    polls: createPolls(),
  };
  const shared = [
    ...identityRoutes(context),
    ...reportRoutes(context),
    wantedRoute(context),
    artifactRoute(context),
    alarmsRoute(context),
    streamRoute(context),
  ];
  return {
    context,
    routes: [...shared, measurementsRoute(context)],
    messageRoutes: [...shared, storedMeasurementsRoute(context)],
  };
}
