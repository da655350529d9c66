import { matchesLabels, parseExpression, type LabelExpression } from '../../descriptors/index.ts';

const MOST_CACHED = 10_000;
/** Parsed once: a plan asks the same of every host. */
const parsed = new Map<string, LabelExpression | undefined>();

/**
 * Whether a label expression holds. Those of descriptors were checked when they were onboarded; one that cannot be read (a host may state
 * anything in its facts) holds nowhere.
 */
export function matchesText(text: string, labels: Readonly<Record<string, string>>): boolean {
  const expression = expressionOf(text);
  return expression !== undefined && matchesLabels(expression, labels);
}

function expressionOf(text: string): LabelExpression | undefined {
  if (parsed.has(text)) return parsed.get(text);
  if (parsed.size >= MOST_CACHED) parsed.clear();
  const { expression } = parseExpression(text);
  parsed.set(text, expression);
  return expression;
}
