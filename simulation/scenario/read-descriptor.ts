import { messageOf } from '../../kernel/index.ts';
import {
  parseDescriptor,
  type Descriptor,
  type Fault,
  type Finding,
  type ParsedDescriptor,
} from '../../descriptors/index.ts';
import type { Building } from './building.ts';
import type { RawDescriptor } from './raw-scenario.ts';

type DescriptorOf<Kind extends Descriptor['kind']> = Extract<Descriptor, { readonly kind: Kind }>;

/** Where a descriptor of the scenario comes from. */
export interface DescriptorSource {
  /** In the scenario: of the descriptor, or of the name of its file. */
  readonly pointer: string;
  /** Absent: it is in the scenario itself. */
  readonly file?: string;
  readonly text: string;
}

/** A descriptor that is in the scenario, or in a file that it names; undefined, and findings, where it is no such one. */
export function readDescriptorOf<Kind extends Descriptor['kind']>(
  kind: Kind,
  { name, file, descriptor: inline }: RawDescriptor,
  place: string,
  { readFile, found }: Pick<Building, 'readFile' | 'found'>,
): { readonly descriptor: DescriptorOf<Kind>; readonly source: DescriptorSource } | undefined {
  const pointer = `${place}/${file === undefined ? 'descriptor' : 'file'}`;
  let parsed: ParsedDescriptor;
  let text: string;
  try {
    text = file === undefined ? JSON.stringify(inline) : readFile(file);
    parsed = parseDescriptor(text, { file: file ?? name });
  } catch (error) {
    found(unreadable(pointer, file ?? '', error));
    return undefined;
  }
  const source = { pointer, ...(file === undefined ? {} : { file }), text };
  for (const fault of parsed.faults) if (fault.severity === 'error') found(findingOf(fault, source));
  const { descriptor } = parsed;
  if (descriptor?.kind === kind) return { descriptor: descriptor as DescriptorOf<Kind>, source };
  if (descriptor !== undefined)
    found({
      rule: 'descriptor-kind',
      pointer,
      message: `the descriptor of ${name} is a ${descriptor.kind}`,
      remedy: `name a descriptor of kind ${kind}`,
    });
  return undefined;
}

/** A fault of a descriptor, told at its place in the scenario. */
export function findingOf(fault: Fault, { pointer, file }: DescriptorSource): Finding {
  const place = file === undefined ? '' : ` (${file}:${fault.line ?? 1}:${fault.column ?? 1})`;
  return {
    rule: fault.rule,
    pointer: file === undefined ? `${pointer}${fault.pointer}` : pointer,
    message: `${fault.message}${place}`,
    remedy: fault.remedy,
  };
}

export function unreadable(pointer: string, file: string, error: unknown): Finding {
  return {
    rule: 'unreadable-file',
    pointer,
    message: `the file ${file} cannot be read: ${messageOf(error)}`,
    remedy: 'give its path from the folder of the scenario',
  };
}
