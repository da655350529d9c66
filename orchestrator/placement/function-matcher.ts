import { matchesLabels, parseExpression, type LabelExpression } from '../../descriptors/index.ts';

type Labels = Readonly<Record<string, string>>;

interface FunctionMatcher {
  matches(labels: Labels): boolean;
  /** A label and the value that it has in all that match: nobody else needs to be asked. */
  readonly key?: { readonly label: string; readonly value: string };
}

const matchers = new Map<string, FunctionMatcher>();
const MOST_MATCHERS = 10_000;

/** Whether the labels of a function satisfy an expression; one that cannot be read is satisfied by none. */
export function matchesFunction(expression: string, labels: Labels): boolean {
  return functionMatcher(expression).matches(labels);
}

/** Asked of every function by every other: each expression is read once. */
export function functionMatcher(expression: string): FunctionMatcher {
  const known = matchers.get(expression);
  if (known !== undefined) return known;
  const { expression: parsed } = parseExpression(expression);
  const key = parsed === undefined ? undefined : keyOf(parsed);
  const matcher = {
    matches: (labels: Labels) => parsed !== undefined && matchesLabels(parsed, labels),
    ...(key === undefined ? {} : { key }),
  };
  if (matchers.size >= MOST_MATCHERS) matchers.clear();
  matchers.set(expression, matcher);
  return matcher;
}

function keyOf(expression: LabelExpression): FunctionMatcher['key'] {
  if (expression.type === 'compare' && expression.operator === '=')
    return { label: expression.label, value: expression.value };
  if (expression.type !== 'and') return undefined;
  return expression.operands.map(keyOf).find((key) => key !== undefined);
}
