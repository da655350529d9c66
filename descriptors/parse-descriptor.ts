import { messageOf } from '../kernel/index.ts';
import { buildFunction } from './build-function.ts';
import { buildService } from './build-service.ts';
import { Cursor } from './document/cursor.ts';
import { hasErrors, MAX_FAULTS, toFaults, type Finding } from './document/finding.ts';
import { didYouMean, listed } from './document/wording.ts';
import { readDocument } from './document/read-document.ts';
import { KINDS, validateDocument, type Kind } from './document/schema.ts';
import { RULES } from './rules/index.ts';
import type { Rule } from './rules/rule.ts';
import type { Descriptor, Fault } from './types.ts';

export interface ParsedDescriptor {
  /** Absent where there is a fault of severity `error`. */
  readonly descriptor?: Descriptor;
  /** All that is wrong, in the order of the text. */
  readonly faults: readonly Fault[];
}

/**
 * Reads a descriptor in YAML or JSON. Never throws, and never takes long: size, nesting and number of values are bounded.
 * @param options.file name of the file, for the faults
 */
export function parseDescriptor(text: string, { file }: { readonly file: string }): ParsedDescriptor {
  const { value, findings, locate } = readDocument(text);
  const found = value === undefined ? findings : [...findings, ...check(value)];
  const faults = toFaults(found, file, locate);
  if (value === undefined || hasErrors(faults)) return { faults };
  return { descriptor: build(new Cursor(value)), faults };
}

function check(value: unknown): Finding[] {
  const doc = new Cursor(value);
  const kind = kindOf(doc);
  if (typeof kind !== 'string') return [kind];
  const { findings, isTooLarge } = validateDocument(kind, value);
  // Rules compare names with names: their time is bounded by what the schema bounds.
  return isTooLarge ? [...findings] : [...findings, ...checkRules(doc, kind)];
}

function kindOf(doc: Cursor): Kind | Finding {
  const found = doc.at('kind');
  const kind = KINDS.find((candidate) => candidate === found.value);
  if (kind !== undefined) return kind;
  const isObject = typeof doc.value === 'object' && doc.value !== null && !Array.isArray(doc.value);
  if (!isObject)
    return wrongKind(
      '',
      'the descriptor is not an object with properties',
      `begin with \`apiVersion: iotmano/v1\` and \`kind:\` ${listed(KINDS)}`,
    );
  if (!found.exists) return wrongKind('', 'the descriptor has no `kind`', `add one: ${listed(KINDS)}`);
  const text = JSON.stringify(found.value).slice(0, 80);
  return wrongKind('/kind', `the kind is ${text}`, `allowed: ${listed(KINDS)}.${didYouMean(text, KINDS)}`);
}

function wrongKind(pointer: string, message: string, remedy: string): Finding {
  return { rule: 'schema/kind', pointer, message, remedy };
}

/** More findings than are told are not looked for. */
function checkRules(doc: Cursor, kind: Kind): Finding[] {
  const findings: Finding[] = [];
  for (const rule of RULES.filter(({ kinds }) => kinds.includes(kind)))
    for (const finding of checkRule(rule, doc, kind)) {
      findings.push(finding);
      if (findings.length > MAX_FAULTS) return findings;
    }
  return findings;
}

function* checkRule({ name: rule, severity, check }: Rule, doc: Cursor, kind: Kind): Iterable<Finding> {
  try {
    for (const { at, ...finding } of check(doc, kind))
      yield { ...finding, rule, pointer: at.pointer, ...(severity === undefined ? {} : { severity }) };
  } catch (error) {
    const message = `the rule ${rule} could not be checked: ${messageOf(error)}`;
    yield { rule, pointer: '', message, remedy: 'mend the other faults first' };
  }
}

function build(doc: Cursor): Descriptor {
  return doc.at('kind').text === 'IoTServiceDescriptor' ? buildService(doc) : buildFunction(doc);
}
