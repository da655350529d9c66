import Table from 'cli-table3';
import type { CaseResult } from './play-case.ts';
import type { ConformanceResult, RequirementResult, RequirementVerdict } from './result.ts';
import type { Exchange, Shown } from './trace.ts';

export type ReportFormat = 'table' | 'json' | 'junit';

const VERDICTS: readonly RequirementVerdict[] = [
  'failed',
  'passed',
  'not applicable',
  'not observable',
  'not in this version',
];
const SHOWN_EXCHANGES = 6;
const TEXT_WIDTH = 88;

/** The result as a document of the format, ended by a line feed. */
export function renderResult(result: ConformanceResult, format: ReportFormat): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(result, null, 2)}\n`;
    case 'junit':
      return renderJunit(result);
    case 'table':
      return renderTable(result);
  }
}

/** How many there are of each verdict, in words. */
export function summaryOf({ requirements, cases, seconds, binding }: ConformanceResult): string {
  const counts = VERDICTS.map((verdict) => [verdict, countOf(requirements, verdict)] as const);
  const told = counts.filter(([, count]) => count > 0).map(([verdict, count]) => `${count} ${verdict}`);
  return `${requirements.length} requirements: ${told.join(', ')}; ${cases.length} cases in ${seconds.toFixed(1)} s, over ${binding}`;
}

function countOf(requirements: readonly RequirementResult[], verdict: RequirementVerdict): number {
  return requirements.filter((each) => each.verdict === verdict).length;
}

function renderTable(result: ConformanceResult): string {
  const table = new Table({
    head: ['REQUIREMENT', 'VERDICT', 'WHAT'],
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
    colWidths: [13, 21, TEXT_WIDTH],
    wordWrap: true,
  });
  for (const { id, verdict, sentence, remarks } of result.requirements.filter(isOfThisVersion))
    table.push([
      id,
      verdict,
      remarks.length === 0 ? sentence : `${sentence}\n${remarks.map((each) => `- ${each}`).join('\n')}`,
    ]);
  const failed = result.cases.filter(({ verdict }) => verdict === 'failed').map(renderFailure);
  const later = result.requirements.filter((each) => !isOfThisVersion(each)).map(({ id }) => id);
  const told = later.length === 0 ? [] : [`Not in this version of Mco: ${later.join(', ')}`];
  return [table.toString(), ...failed, ...told, `${summaryOf(result)}\n`].join('\n');
}

function isOfThisVersion({ verdict }: RequirementResult): boolean {
  return verdict !== 'not in this version';
}

function renderFailure(result: CaseResult): string {
  const { id, title, faults, exchanges } = result;
  return [
    `\n${id} failed: ${title}`,
    ...faults.map(({ requirements, message }) => `  ${requirements.join(', ')}: ${message}`),
    ...exchanges.slice(-SHOWN_EXCHANGES).map(renderExchange),
    '',
  ].join('\n');
}

function renderExchange({ atMilliseconds, operation, request, answer, note }: Exchange): string {
  const lines = [
    `    ${(atMilliseconds / 1000).toFixed(3)} s  ${operation}  ${request.line ?? ''}`,
    ...shownLines(request, '      > '),
    ...(answer === undefined ? [] : [`      < ${answer.status}`, ...shownLines(answer, '      < ')]),
    ...(note === undefined ? [] : [`      ! ${note}`]),
  ];
  return lines.join('\n');
}

function shownLines({ headers, body }: Shown, mark: string): string[] {
  const kept = Object.entries(headers).filter(([name]) =>
    /^(mco-|content-type|range|content-range|retry-after)/i.test(name),
  );
  return [
    ...kept.map(([name, value]) => `${mark}${name}: ${value}`),
    ...(body === undefined ? [] : [`${mark}${body}`]),
  ];
}

/** JUnit XML: a suite of cases, each with the requirements that it shows as its class. */
function renderJunit({ side, binding, cases, seconds, startedAt }: ConformanceResult): string {
  const failures = cases.filter(({ verdict }) => verdict === 'failed').length;
  const skipped = cases.filter(({ verdict }) => verdict === 'not-applicable').length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="Mco conformance" tests="${cases.length}" failures="${failures}" time="${seconds}">`,
    `  <testsuite name="Mco ${side} over ${binding}" tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}" time="${seconds}" timestamp="${startedAt}">`,
    ...cases.map(renderTestcase),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function renderTestcase({
  id,
  title,
  requirements,
  verdict,
  faults,
  reason,
  seconds,
  exchanges,
}: CaseResult): string {
  const open = `    <testcase classname="${escape(requirements.join(' '))}" name="${escape(`${id}: ${title}`)}" time="${seconds}"`;
  if (verdict === 'passed') return `${open}/>`;
  if (verdict === 'not-applicable')
    return `${open}>\n      <skipped message="${escape(reason ?? '')}"/>\n    </testcase>`;
  const message = faults.map((fault) => `${fault.requirements.join(', ')}: ${fault.message}`).join('; ');
  return [
    `${open}>`,
    `      <failure message="${escape(message)}">${escape(exchanges.map(renderExchange).join('\n'))}</failure>`,
    '    </testcase>',
  ].join('\n');
}

/** XML 1.0 has no other control characters than these three, not even escaped. */
function escape(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
