/**
 * The room of `--format`: Go's text/template as far as Docker's users write it, lists as tables or templates, and
 * what `inspect` prints. Commands that list or inspect call it. A template sees plain data and a fixed set of
 * functions, and can run nothing.
 *
 *     const line = fillTemplate('{{.Name}}: {{json .Labels}}', { Name: 'web', Labels: {} });
 *     const listing = { items: volumes, headers: HEADERS, columns: ['Name'], row: ({ name }: Volume) => ({ Name: name }) };
 *     const text = formatListing(listing, 'table {{.Name}}');
 */

import { OcitsError } from '../../errors.ts';
import { formatTable } from '../output/table.ts';
import { GoMap, GoNil, GoStruct } from '../shapes/go-value.ts';
import { callFunction } from './functions.ts';
import { goText, isTruthy } from './go-text.ts';
import {
  type Operand,
  type Pipeline,
  parseTemplate,
  type TemplateCall,
  type TemplateNode,
} from './parse-template.ts';

/**
 * Fills a template of Go's text/template with `data`, as `docker inspect --format` does: fields, pipelines,
 * `if`, `range`, `with`, variables, and the functions of Docker's templates. Throws `invalid-argument` for a
 * template that cannot be read and for a field that is not there.
 */
export function fillTemplate(source: string, data: unknown): string {
  const scope: Scope = { dot: data, variables: new Map([['$', data]]) };
  return render(parseTemplate(source), scope);
}

/** What a list prints. `row` is what a template sees of an item. */
export interface Listing<T> {
  readonly items: readonly T[];
  /** What stands above each field that a template may name, whether or not there are items. */
  readonly headers: Readonly<Record<string, string>>;
  /** The fields of the plain table. */
  readonly columns: readonly string[];
  /** All fields of an item; a method is a function. */
  readonly row: (item: T) => Readonly<Record<string, unknown>>;
}

/**
 * Prints a list as Docker's `--format` says: nothing or `table` is a table with a header, `table TEMPLATE` one of
 * the template's columns, `json` an object a line, else the template once an item. Ends without a line break.
 */
export function formatListing<T>(listing: Listing<T>, format: string | undefined): string {
  const { headers, columns } = listing;
  const rows = listing.items.map((item) => sortedByKey(listing.row(item)));
  if (format === undefined || format === '' || format === 'table') {
    const cells = rows.map((row) => columns.map((name) => goText(row[name])));
    return formatTable(
      columns.map((name) => headers[name]!),
      cells,
    );
  }
  if (format === 'json') return rows.map((row) => JSON.stringify(row)).join('\n');
  if (!format.startsWith('table '))
    return rows.map((row) => fillTemplate(withControlCharacters(format), row)).join('\n');
  const template = withControlCharacters(format.slice('table '.length).trim());
  const lines = [{ ...headers, Label: labelHeader }, ...rows].map((row) => fillTemplate(template, row));
  const [head = [], ...body] = lines.map((line) => line.split('\t'));
  return formatTable(head, body);
}

/** What stands above a label in Docker's tables: the end of its name, in words. */
function labelHeader(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).replace(/[-_]/g, ' ');
}

/** Docker's rows have their fields by name in JSON. */
function sortedByKey(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A shell passes `\t` on as two characters; Docker reads them as a tab. */
function withControlCharacters(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

interface Scope {
  readonly dot: unknown;
  readonly variables: Map<string, unknown>;
}

function render(nodes: readonly TemplateNode[], scope: Scope): string {
  return nodes.map((node) => renderNode(node, scope)).join('');
}

function renderNode(node: TemplateNode, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  const value = evaluate(node.pipeline, scope);
  switch (node.kind) {
    case 'print':
      return goText(value);
    case 'assign':
      scope.variables.set(node.variable, value);
      return '';
    case 'if':
      return render(isTruthy(value) ? node.body : node.otherwise, scope);
    case 'with':
      return isTruthy(value) ? render(node.body, { ...scope, dot: value }) : render(node.otherwise, scope);
    case 'range': {
      const entries = rangeEntries(value);
      if (entries.length === 0) return render(node.otherwise, scope);
      return entries
        .map(([key, item]) => render(node.body, rangeScope(scope, node.variables, key, item)))
        .join('');
    }
  }
}

function rangeEntries(value: unknown): (readonly [unknown, unknown])[] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function rangeScope(scope: Scope, names: readonly string[], key: unknown, item: unknown): Scope {
  const variables = new Map(scope.variables);
  if (names.length === 2) variables.set(names[0]!, key);
  if (names.length > 0) variables.set(names.at(-1)!, item);
  return { dot: item, variables };
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let value: unknown;
  pipeline.forEach((call, index) => {
    value = evaluateCall(call, scope, index === 0 ? [] : [value]);
  });
  return value;
}

function evaluateCall(call: TemplateCall, scope: Scope, piped: readonly unknown[]): unknown {
  const operands = call.operands.map((operand) => evaluateOperand(operand, scope));
  if (call.name !== undefined) return callFunction(call.name, [...operands, ...piped]);
  const [first, ...rest] = operands;
  // A method, such as `.Label "name"` of a container.
  if (typeof first === 'function') return first(...rest, ...piped);
  if (rest.length === 0) return first;
  throw new OcitsError('invalid-argument', 'template: only a function or method takes arguments');
}

function evaluateOperand(operand: Operand, scope: Scope): unknown {
  if (operand.kind === 'constant') return operand.value;
  if (operand.kind === 'group') return follow(evaluate(operand.pipeline, scope), operand.names);
  if (operand.variable === undefined) return follow(scope.dot, operand.names);
  if (!scope.variables.has(operand.variable)) {
    throw new OcitsError('invalid-argument', `template: variable ${operand.variable} is not set`);
  }
  return follow(scope.variables.get(operand.variable), operand.names);
}

function follow(start: unknown, names: readonly string[]): unknown {
  return names.reduce(fieldOf, start);
}

function fieldOf(value: unknown, name: string): unknown {
  if (value === undefined || value === null) return undefined;
  if (value instanceof GoNil) return value.zeroOf(name) ?? noField(name);
  if (typeof value !== 'object') return noField(name, `in ${typeof value}`);
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  if (value instanceof GoMap || (!(value instanceof GoStruct) && isMapLike(value, name))) return undefined;
  return noField(name, '', { hint: `fields here: ${Object.keys(value).slice(0, 60).join(', ')}` });
}

function noField(name: string, where = '', options: { readonly hint?: string } = {}): never {
  const message = `template: there is no field ${JSON.stringify(name)} ${where}`.trimEnd();
  throw new OcitsError('invalid-argument', message, options);
}

/** Whether plain data has keys that users chose (labels, ports): no fixed fields, then; neither has an empty object. */
function isMapLike(value: object, wanted: string): boolean {
  const keys = Object.keys(value);
  return !/^[A-Z]/.test(wanted) || keys.length === 0 || keys.some((key) => !/^[A-Z]\w*$/.test(key));
}
