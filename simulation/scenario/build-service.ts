import { checkService } from '../../descriptors/index.ts';
import { choose, type Building } from './building.ts';
import type { RawDescriptor } from './raw-scenario.ts';
import { findingOf, readDescriptorOf } from './read-descriptor.ts';
import type { ScenarioConstituent, ScenarioService } from './types.ts';

/** A service, made of the scenario's functions; none, and findings, where something in it is wrong. */
export function buildService(
  raw: RawDescriptor,
  place: string,
  building: Omit<Building, 'services'>,
): readonly ScenarioService[] {
  const read = readDescriptorOf('IoTServiceDescriptor', raw, place, building);
  if (read === undefined) return [];
  const { descriptor, source } = read;
  const { functions, faults } = checkService(
    descriptor,
    (invariantId) =>
      building.functions.flatMap((each) =>
        each.descriptor.metadata.invariantId === invariantId ? [each.descriptor] : [],
      ),
    { text: source.text, file: source.file ?? raw.name },
  );
  const errors = faults.filter(({ severity }) => severity === 'error');
  for (const fault of errors) building.found(findingOf(fault, source));
  if (errors.length > 0) return [];
  const constituents = descriptor.functions.flatMap(
    ({ name, flavour, level, coverage }): readonly ScenarioConstituent[] => {
      const made = functions.get(name);
      if (made === undefined) return [];
      const hosts = coverage === undefined ? undefined : choose(building, coverage.each, source.pointer);
      return [
        {
          name,
          descriptor: made,
          ...(flavour === undefined ? {} : { flavour }),
          ...(level === undefined ? {} : { level }),
          ...(hosts === undefined ? {} : { coverage: hosts }),
        },
      ];
    },
  );
  return [{ name: raw.name, descriptor, constituents }];
}
