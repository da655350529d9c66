import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Pair, type YAMLMap } from 'yaml';
import { messageOf } from '../../kernel/index.ts';
import { composeYaml, LIMITS, tooComplex } from './compose.ts';
import { escapeToken, pointerTokens } from './cursor.ts';
import type { Finding, Locate } from './finding.ts';
import { Positions } from './positions.ts';

export interface ReadDocument {
  /** Plain data, all of it fresh; absent where the text could not be read. */
  readonly value?: unknown;
  readonly findings: readonly Finding[];
  readonly locate: Locate;
}

/** Reads YAML (or JSON) as plain data: no tags, no merge keys, no duplicate keys, everything bounded. Never throws. */
export function readDocument(text: string): ReadDocument {
  const positions = new Positions(text);
  const locateOffset: Locate = ({ offset }) => (offset === undefined ? undefined : positions.at(offset));
  try {
    const { document, findings } = composeYaml(text);
    if (document === undefined || findings.length > 0) return { findings, locate: locateOffset };
    const reader = new NodeReader();
    const value = reader.read(document.contents, 0, '');
    const locate: Locate = (finding) => {
      const offset = finding.offset ?? findOffset(document.contents, finding, reader.targets);
      return offset === undefined ? undefined : positions.at(offset);
    };
    return reader.isGivenUp
      ? { findings: reader.findings, locate }
      : { value, findings: reader.findings, locate };
  } catch (error) {
    const finding = {
      rule: 'yaml/syntax',
      pointer: '',
      offset: 0,
      message: `this cannot be read as YAML: ${messageOf(error)}`,
    };
    return {
      findings: [{ ...finding, remedy: 'check that it is a YAML or JSON document' }],
      locate: locateOffset,
    };
  }
}

/** Syntax tree → plain data. Aliases are copied, within the bound on values. */
class NodeReader {
  readonly findings: Finding[] = [];
  readonly targets = new Map<Alias, Node>();
  isGivenUp = false;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #values = 0;

  read(node: unknown, depth: number, pointer: string): unknown {
    if (this.isGivenUp || node === null || node === undefined) return null;
    if (++this.#values > LIMITS.values)
      return this.#giveUp(node as Node, `more than ${LIMITS.values} values, aliases expanded`);
    if (depth > LIMITS.depth) return this.#giveUp(node as Node, `nested deeper than ${LIMITS.depth}`);
    if (isAlias(node)) return this.#readAlias(node, depth, pointer);
    this.#note(node as Node, pointer);
    if (isScalar(node)) return this.#readScalar(node.value, node, pointer);
    this.#open.add(node as Node);
    const value = isMap(node)
      ? this.#readMap(node, depth, pointer)
      : this.#readSequence(node, depth, pointer);
    this.#open.delete(node as Node);
    return value;
  }

  #note(node: Node & { anchor?: string | undefined }, pointer: string): void {
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (node.tag === undefined) return;
    this.#add(
      'yaml/tag',
      node,
      pointer,
      `the tag \`${node.tag}\` is not allowed`,
      'remove the tag; values are plain YAML',
    );
  }

  #readAlias(alias: Alias, depth: number, pointer: string): unknown {
    const target = this.#anchors.get(alias.source);
    if (target === undefined || this.#open.has(target)) {
      const why =
        target === undefined ? 'refers to nothing before it' : 'refers to what it is itself a part of';
      this.#add('yaml/alias', alias, pointer, `the alias \`*${alias.source}\` ${why}`, 'write the value out');
      return null;
    }
    this.targets.set(alias, target);
    return this.read(target, depth, pointer);
  }

  #readScalar(value: unknown, node: Node, pointer: string): unknown {
    const isPlain = value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
    if (isPlain) return value;
    this.#add(
      'yaml/value',
      node,
      pointer,
      'this value is not plain data',
      'use texts, finite numbers, true, false or null',
    );
    return null;
  }

  #readSequence(node: unknown, depth: number, pointer: string): unknown[] {
    const items: readonly unknown[] = isSeq(node) ? node.items : [];
    return items.map((item, index) => this.read(item, depth + 1, `${pointer}/${index}`));
  }

  #readMap(map: YAMLMap, depth: number, pointer: string): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const pair of map.items) {
      const key = this.#readKey(pair, map, pointer);
      if (key === undefined) continue;
      const child = `${pointer}/${escapeToken(key)}`;
      if (Object.hasOwn(result, key)) {
        const message = `\`${key.slice(0, 80)}\` is given twice`;
        this.#add('yaml/duplicate-key', pair.key as Node, child, message, 'keep one of the two');
        continue;
      }
      result[key] = this.read(pair.value, depth + 1, child);
    }
    return result;
  }

  #readKey(pair: Pair, map: YAMLMap, pointer: string): string | undefined {
    const { key } = pair;
    const text = keyText(key);
    if (text !== undefined && isScalar(key)) this.#note(key, pointer);
    if (text !== undefined && text !== '__proto__') return text;
    const message =
      text === undefined
        ? 'a name of a property is not a text'
        : '`__proto__` is not a name that can be used';
    this.#add('yaml/key', (key as Node | null) ?? map, pointer, message, 'use a plain text as name');
    return undefined;
  }

  #add(rule: string, node: Node, pointer: string, message: string, remedy: string): void {
    this.findings.push({ rule, pointer, offset: node.range?.[0] ?? 0, message, remedy });
  }

  #giveUp(node: Node, what: string): null {
    this.isGivenUp = true;
    this.findings.push(tooComplex(node.range?.[0] ?? 0, what));
    return null;
  }
}

/** Where the nearest existing thing on the way to the pointer starts. */
function findOffset(root: unknown, finding: Finding, targets: ReadonlyMap<Alias, Node>): number | undefined {
  let node = root;
  let offset = (root as Node | null)?.range?.[0];
  const tokens = pointerTokens(finding.pointer);
  for (const [index, token] of tokens.entries()) {
    if (isAlias(node)) node = targets.get(node);
    const isKeyWanted = finding.isAtKey === true && index === tokens.length - 1;
    const pair = isMap(node) ? findPair(node, token) : undefined;
    const keyOffset = (pair?.key as Node | undefined)?.range?.[0];
    node = isSeq(node) ? node.items[Number(token)] : pair?.value;
    const valueOffset = (node as Node | null | undefined)?.range?.[0];
    const found = isKeyWanted ? keyOffset : (valueOffset ?? keyOffset);
    if (found === undefined) return offset;
    offset = found;
  }
  return offset;
}

function findPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => keyText(pair.key) === key);
}

/** `1: x` and `true: x` are named by the text of their value. */
function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  const { value } = key;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
