import { parseBytes, parseCpuMillis } from '../../kernel/index.ts';
import { type Finding } from '../../descriptors/index.ts';
import { buildEvent } from './build-event.ts';
import { buildService } from './build-service.ts';
import { seconds, type Building, type ReadFile } from './building.ts';
import type { RawGroup, RawScenario } from './raw-scenario.ts';
import { readDescriptorOf } from './read-descriptor.ts';
import type { HostGroup, Scenario } from './types.ts';

/** A scenario that its schema has let through, with its quantities, descriptors, files and expressions read. */
export function buildScenario(
  raw: RawScenario,
  readFile: ReadFile,
): { readonly scenario?: Scenario; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const found = (finding: Finding): void => void findings.push(finding);
  refuseSameNames(raw.hosts, '/hosts', found);
  refuseSameNames(raw.functions, '/functions', found);
  refuseSameNames(raw.services, '/services', found);
  const functions = raw.functions.flatMap((each, at) => {
    const read = readDescriptorOf('IoTFunctionDescriptor', each, `/functions/${at}`, { readFile, found });
    return read === undefined ? [] : [{ name: each.name, descriptor: read.descriptor }];
  });
  // Services and events are about functions: with one that cannot be read, each that names it would be called wrong as well.
  if (findings.length > 0) return { findings };
  const services = raw.services.flatMap((each, at) =>
    buildService(each, `/services/${at}`, { readFile, functions, found }),
  );
  if (findings.length > 0) return { findings };
  const building = { readFile, functions, services, found };
  const scenario = {
    name: raw.name,
    seed: raw.seed,
    durationSeconds: seconds(raw.duration),
    sampleEverySeconds: seconds(raw.sampleEvery),
    lookEverySeconds: seconds(raw.lookEvery),
    retryEverySeconds: seconds(raw.retryEvery),
    hosts: raw.hosts.map(buildGroup),
    functions,
    services,
    events: raw.events.flatMap((event, at) => buildEvent(building, event, `/events/${at}`)),
  };
  refuseZero(scenario, found);
  return findings.length > 0 ? { findings } : { scenario, findings };
}

function buildGroup({ cpu, memory, storage, start, availability, ...rest }: RawGroup): HostGroup {
  return {
    ...rest,
    cpuMillis: parseCpuMillis(cpu) ?? 0,
    memoryBytes: parseBytes(memory) ?? 0,
    storageBytes: parseBytes(storage) ?? 0,
    startSeconds: seconds(start),
    ...(availability === undefined
      ? {}
      : {
          availability: {
            betweenFailuresSeconds: Math.max(1, seconds(availability.betweenFailures)),
            repairSeconds: seconds(availability.repair),
            kind: availability.kind ?? 'network',
          },
        }),
  };
}

function refuseSameNames(
  named: readonly { readonly name: string }[],
  pointer: string,
  found: Building['found'],
): void {
  const seen = new Set<string>();
  for (const [at, { name }] of named.entries()) {
    if (seen.has(name))
      found({
        rule: 'name-twice',
        pointer: `${pointer}/${at}/name`,
        message: `the name ${name} is there twice`,
        remedy: 'give each its own name',
      });
    seen.add(name);
  }
}

const POSITIVE = ['duration', 'sampleEvery', 'lookEvery', 'retryEvery'] as const;

function refuseZero(scenario: Scenario, found: Building['found']): void {
  for (const name of POSITIVE)
    if (scenario[`${name}Seconds`] <= 0)
      found({
        rule: 'no-time',
        pointer: `/${name}`,
        message: `\`${name}\` is no time at all`,
        remedy: 'give a duration above 0, e.g. `5s`',
      });
}
