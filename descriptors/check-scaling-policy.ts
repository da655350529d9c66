import { Cursor } from './document/cursor.ts';
import { hasErrors, toFaults, type Finding } from './document/finding.ts';
import { readDocument } from './document/read-document.ts';
import { validateScalingPolicy } from './document/schema.ts';
import { unknownIndicator } from './rules/names.ts';
import { invalidSchedule, limitsCross, paceOutOfRange, timeOutsideAspect } from './rules/scaling.ts';
import type { ScalingAspect, WrittenPolicy } from './scaling-types.ts';
import type { Fault, IoTFunctionDescriptor } from './types.ts';

const RULES = [unknownIndicator, limitsCross, invalidSchedule, timeOutsideAspect, paceOutOfRange];
/** Where the policy lies in the document that the rules are asked about. */
const PLACE = '/scaling/0/policy';

/** What a policy may speak of: the levels of an aspect, and the indicators of the units that it scales; of all units, where it names none. */
export interface PolicyScope {
  readonly descriptor: Pick<IoTFunctionDescriptor, 'units'>;
  readonly aspect: Pick<ScalingAspect, 'aspect' | 'deltas' | 'min' | 'max'>;
}

/**
 * All that is wrong with a policy that is not part of a descriptor, by the same schema and rules.
 * @param file what the faults say it is
 * @param within units and aspect that it is for; absent: it may name any indicator and any level
 */
export function checkScalingPolicy(policy: unknown, file: string, within?: PolicyScope): readonly Fault[] {
  return toFaults(findingsOf(policy, within), file, () => undefined);
}

function findingsOf(policy: unknown, within?: PolicyScope): readonly Finding[] {
  // Defaults are written into what is validated.
  const value = structuredClone(policy);
  const findings: Finding[] = [...validateScalingPolicy(value)];
  const doc = new Cursor({
    scaling: [{ ...within?.aspect, policy: value }],
    units: within?.descriptor.units ?? [],
  });
  for (const { name, check } of RULES) {
    if (name === unknownIndicator.name && within === undefined) continue;
    for (const { at, ...finding } of check(doc, 'IoTFunctionDescriptor'))
      findings.push({ ...finding, rule: name, pointer: at.pointer.replace(PLACE, '') });
  }
  return findings;
}

/** A policy in a file of its own, in YAML or JSON. */
export function readScalingPolicy(
  text: string,
  file: string,
): { readonly policy?: WrittenPolicy; readonly faults: readonly Fault[] } {
  const { value, findings, locate } = readDocument(text);
  const found = value === undefined ? findings : [...findings, ...findingsOf(value)];
  const faults = toFaults(found, file, locate);
  return value === undefined || hasErrors(faults) ? { faults } : { policy: value as WrittenPolicy, faults };
}
