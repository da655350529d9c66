import { join } from 'node:path';
import { buildVariant } from '../../vnf-catalog/build-packages.ts';
import { REQUEST_PROCESSING } from '../demo/chaos.ts';
import { DECLARED, MOST_COPIES, type Timetable } from './timetable.ts';

/** Package files of request processing, and the version that each is. */
export interface Versions {
  readonly first: { readonly file: string; readonly version: string };
  readonly next: { readonly file: string; readonly version: string };
}

const FIRST = '1.0.0';
const NEXT = '1.1.0';

interface Unit {
  readonly metrics: object;
}
type Descriptor = Readonly<Record<string, unknown>> & {
  readonly metadata?: object;
  readonly units?: readonly Unit[];
};

/**
 * Request processing of the catalogue with rules of its operator: measured every second, scaled automatically (clause 5.5), upgraded copy
 * after copy. The next version is the same program: what is shown is that versions change, not what is new in one.
 */
export async function buildVersions(folder: string, timetable: Timetable): Promise<Versions> {
  const build = async (version: string): Promise<string> =>
    buildVariant(
      REQUEST_PROCESSING.program,
      join(folder, 'versions', `${REQUEST_PROCESSING.program}-${version}.zip`),
      (descriptor) => withRules(descriptor, version, timetable),
    );
  return {
    first: { version: FIRST, file: await build(FIRST) },
    next: { version: NEXT, file: await build(NEXT) },
  };
}

function withRules(descriptor: Descriptor, softwareVersion: string, timetable: Timetable): object {
  const { stabilizationSeconds, surge, healthySeconds } = timetable;
  const policy = {
    type: 'target',
    indicator: 'queue_depth',
    // Of the places that an instance is declared to have, three in five are in use, and few requests wait.
    target: 0.6 * DECLARED.concurrency,
    tolerance: 0.2,
    window: '5s',
    stabilization: `${stabilizationSeconds}s`,
    cooldown: { out: '1s', in: `${stabilizationSeconds}s` },
  };
  return {
    ...descriptor,
    metadata: { ...descriptor.metadata, softwareVersion },
    units: (descriptor.units ?? []).map((unit) => ({ ...unit, metrics: { ...unit.metrics, every: '1s' } })),
    scaling: [{ aspect: 'load', deltas: { processor: 1 }, min: 1, max: MOST_COPIES, policy }],
    upgrade: {
      strategy: 'rolling',
      maxUnavailable: 0,
      maxSurge: surge,
      healthyFor: `${healthySeconds}s`,
      healthyWithin: '60s',
    },
  };
}
