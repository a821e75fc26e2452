import { shortDigest } from '../../oci/digest.ts';
import type { LayerEvent, ProgressEvent, TaskId } from '../../progress.ts';
import { humanSize } from '../output/human.ts';
import { LAYER_WORDS, plainLine } from './plain.ts';
import { printWarning, type Renderer, type Screen } from './screen.ts';

const FRAME_MS = 100;
const BAR_WIDTH = 30;

interface Row {
  event: LayerEvent;
  readonly startedAt: number;
  readonly startBytes: number;
}

/** The rows of a task's layers by their digests. */
type Rows = Map<string, Row>;

/**
 * A bar a layer, redrawn in place ten times a second; all else is printed above the bars. The bars of one task stand
 * together, and stay above all others when its image is done.
 */
export function terminalRenderer(screen: Screen): Renderer {
  const tasks = new Map<TaskId, Rows>();
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;

  const erase = () => {
    if (drawn > 0) screen.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = () => {
    timer = undefined;
    const lines = [...tasks.values()].flatMap((rows) => bars(rows, screen));
    screen.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}${lines.map((line) => `${line}\x1b[K\n`).join('')}`);
    drawn = lines.length;
  };
  /** The bars of a task that is done stay where they are, above all that comes later. */
  const leave = (task: TaskId) => {
    const rows = tasks.get(task) ?? new Map();
    tasks.delete(task);
    if (drawn > 0) screen.write(`\x1b[${drawn}A`);
    screen.write(
      `${bars(rows, screen)
        .map((line) => `${line}\x1b[K\n`)
        .join('')}\x1b[J`,
    );
    drawn = 0;
  };
  const schedule = () => {
    timer ??= setTimeout(draw, FRAME_MS);
  };
  const printAbove = (event: ProgressEvent) => {
    const line = plainLine(event);
    if (line === undefined && event.type !== 'message') return;
    if (event.type === 'image') leave(event.task);
    else erase();
    if (line === undefined) printWarning(event, screen);
    else screen.write(`${line}\n`);
    if (tasks.size > 0) draw();
  };
  return {
    emit: (event) => {
      if (event.type !== 'layer') return printAbove(event);
      const rows: Rows = tasks.get(event.task) ?? new Map();
      tasks.set(event.task, rows);
      noteLayer(rows, event);
      schedule();
    },
    close: () => {
      if (timer !== undefined) {
        clearTimeout(timer);
        draw();
      }
    },
  };
}

function bars(rows: Rows, { columns }: Screen): string[] {
  return [...rows.values()].map((row) => layerBar(row, columns));
}

function noteLayer(rows: Rows, event: LayerEvent): void {
  const row = rows.get(event.digest);
  if (row !== undefined && row.event.state === event.state) row.event = event;
  else rows.set(event.digest, { event, startedAt: performance.now(), startBytes: event.bytes ?? 0 });
}

function layerBar({ event, startedAt, startBytes }: Row, columns: number): string {
  const head = `${shortDigest(event.digest)}: ${LAYER_WORDS[event.state]}`;
  const { bytes, totalBytes } = event;
  if (bytes === undefined || event.state === 'downloaded' || event.state === 'unpacked')
    return head.slice(0, columns - 1);
  const seconds = (performance.now() - startedAt) / 1000;
  const rate = seconds > 0.2 ? `  ${humanSize((bytes - startBytes) / seconds)}/s` : '';
  if (totalBytes === undefined || totalBytes === 0)
    return `${head}  ${humanSize(bytes)}${rate}`.slice(0, columns - 1);
  const filled = Math.min(Math.round((bytes / totalBytes) * BAR_WIDTH), BAR_WIDTH);
  const bar =
    filled === BAR_WIDTH
      ? '='.repeat(BAR_WIDTH)
      : `${'='.repeat(filled)}>${' '.repeat(BAR_WIDTH - filled - 1)}`;
  return `${head.padEnd(26)} [${bar}]  ${humanSize(bytes)}/${humanSize(totalBytes)}${rate}`.slice(
    0,
    columns - 1,
  );
}
