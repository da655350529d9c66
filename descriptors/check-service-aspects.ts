import { Cursor } from './document/cursor.ts';
import type { Finding, Wording } from './document/finding.ts';
import { unknownName } from './document/wording.ts';
import { indicatorPlaces, policiesOf } from './rules/scaling.ts';
import type { ScalingAspect } from './scaling-types.ts';
import type { SERVICE_RULES } from './service-rules.ts';
import type { IoTFunctionDescriptor, IoTServiceDescriptor, ServiceAspect } from './types.ts';

/** The aspect of a function by which an aspect of a service scales it: that of the same name, or the only one. */
export function ownAspect(
  { scaling }: Pick<IoTFunctionDescriptor, 'scaling'>,
  name: string,
): ScalingAspect | undefined {
  const [only, ...more] = scaling;
  return scaling.find(({ aspect }) => aspect === name) ?? (more.length === 0 ? only : undefined);
}

/** Names of the indicators of those units of a function that an aspect of it scales. */
export function indicatorsOfAspect(
  { units }: Pick<IoTFunctionDescriptor, 'units'>,
  { deltas }: Pick<ScalingAspect, 'deltas'>,
): readonly string[] {
  return units
    .filter(({ name }) => Object.hasOwn(deltas, name))
    .flatMap(({ metrics }) => metrics?.indicators.map(({ name }) => name) ?? []);
}

type Functions = ReadonlyMap<string, IoTFunctionDescriptor>;

/** What is wrong with the aspects of a service, given its functions. Constituents whose function is not known are passed over. */
export function checkServiceAspects(service: IoTServiceDescriptor, functions: Functions): readonly Finding[] {
  const covering = service.functions.filter(({ coverage }) => coverage !== undefined);
  const covers = new Set(covering.map(({ name }) => name));
  return service.aspects.flatMap((aspect, index) => [
    ...aspect.levels.flatMap((level, row) =>
      Object.entries(level).flatMap(([name, steps]) => {
        const wording = whyOutOfReach(aspect.name, covers.has(name), functions.get(name), steps);
        const pointer = `/aspects/${index}/levels/${row}/${name}`;
        return wording === undefined ? [] : [finding('aspect-out-of-reach', pointer, wording)];
      }),
    ),
    ...checkIndicators(aspect, index, functions),
  ]);
}

function whyOutOfReach(
  name: string,
  isCoverage: boolean,
  descriptor: IoTFunctionDescriptor | undefined,
  steps: number,
): Wording | undefined {
  if (isCoverage)
    return { message: 'it runs once on each host that it covers', remedy: 'leave it out of the aspect' };
  if (descriptor === undefined) return undefined;
  const own = ownAspect(descriptor, name);
  const names = descriptor.scaling.map(({ aspect }) => aspect).join(', ') || 'none';
  if (own === undefined)
    return {
      message: `its function has no aspect \`${name}\``,
      remedy: `call the aspect as one of the function's: ${names}`,
    };
  if (steps >= own.min && steps <= own.max) return undefined;
  return {
    message: `${steps} is outside the aspect \`${own.aspect}\` of its function`,
    remedy: `choose ${own.min} to ${own.max}`,
  };
}

function checkIndicators(aspect: ServiceAspect, index: number, functions: Functions): readonly Finding[] {
  const names = Object.keys(aspect.levels[0] ?? {});
  const known = names.flatMap((name) => {
    const descriptor = functions.get(name);
    const own = descriptor === undefined ? undefined : ownAspect(descriptor, aspect.name);
    return descriptor === undefined || own === undefined ? [] : indicatorsOfAspect(descriptor, own);
  });
  if (names.some((name) => !functions.has(name))) return [];
  const places = policiesOf(new Cursor(aspect, `/aspects/${index}`)).flatMap(indicatorPlaces);
  return places.flatMap((place) => {
    const { text, pointer } = place.at('indicator');
    if (text === undefined || known.includes(text)) return [];
    const wording = unknownName(text, known, 'an indicator of a unit that it scales');
    return [finding('unknown-aspect-indicator', pointer, wording)];
  });
}

function finding(rule: keyof typeof SERVICE_RULES, pointer: string, wording: Wording): Finding {
  return { rule, pointer, ...wording };
}
