import type { OutputEvent, StatusEvent, StepEvent, StepId, TaskId } from '../../progress.ts';

/** How many of a step's last lines are shown while it runs. */
const TAIL_LINES = 6;
const LINE_LIMIT = 4096;

/** A line that a step printed, and when, in seconds since it began. */
export interface OutputLine {
  readonly text: string;
  readonly seconds: number;
}

/**
 * What is known of a build step at one moment. Numbers count from 1 over all tasks, in the order in which steps appear:
 * two builds at once have no number in common.
 */
export class ShownStep {
  readonly task: TaskId;
  readonly number: number;
  readonly label: string;
  readonly startedAt: number;
  state: StepEvent['state'] = 'started';
  reason: string | undefined;
  endedAt: number | undefined;
  readonly statuses = new Map<string, StatusEvent>();
  readonly lastLines: OutputLine[] = [];
  readonly #partial = { stdout: '', stderr: '' };
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  constructor({ task, label }: StepEvent, number: number, now: number) {
    this.task = task;
    this.number = number;
    this.label = label;
    this.startedAt = now;
  }

  seconds(now: number): number {
    return Math.max((this.endedAt ?? now) - this.startedAt, 0) / 1000;
  }

  /** Takes what the step printed and gives the lines that are whole now; a very long line is cut into several. */
  take(event: OutputEvent, now: number): OutputLine[] {
    const text =
      this.#partial[event.stream] + this.#decoders[event.stream].decode(event.data, { stream: true });
    const lines = text.split('\n');
    let rest = lines.pop()!;
    if (rest.length > LINE_LIMIT) {
      lines.push(rest);
      rest = '';
    }
    this.#partial[event.stream] = rest;
    return this.#keep(lines, now);
  }

  /** Gives the last line where it had no end. */
  flush(now: number): OutputLine[] {
    const lines = [this.#partial.stdout, this.#partial.stderr].filter((text) => text !== '');
    this.#partial.stdout = '';
    this.#partial.stderr = '';
    return this.#keep(lines, now);
  }

  #keep(texts: readonly string[], now: number): OutputLine[] {
    const seconds = this.seconds(now);
    const lines = texts.map((text) => ({ text: text.replace(/\r$/, ''), seconds }));
    this.lastLines.push(...lines.slice(-TAIL_LINES));
    if (this.lastLines.length > TAIL_LINES) this.lastLines.splice(0, this.lastLines.length - TAIL_LINES);
    return lines;
  }
}

/** The steps of all builds by their event IDs, in the order in which they appeared. */
export class ShownSteps {
  readonly #steps = new Map<StepId, ShownStep>();
  readonly #tasks = new Set<TaskId>();

  /** The builds that have steps, in the order in which they began. */
  get tasks(): readonly TaskId[] {
    return [...this.#tasks];
  }

  get(id: StepId): ShownStep | undefined {
    return this.#steps.get(id);
  }

  all(): ShownStep[] {
    return [...this.#steps.values()];
  }

  /** Notes an event; the step that it is about. */
  note(event: StepEvent, now: number): ShownStep {
    let step = this.#steps.get(event.id);
    if (step === undefined) {
      step = new ShownStep(event, this.#steps.size + 1, now);
      this.#tasks.add(event.task);
      this.#steps.set(event.id, step);
    }
    step.state = event.state;
    step.reason = event.reason ?? step.reason;
    if (event.state !== 'started') {
      step.endedAt = event.durationMs === undefined ? now : step.startedAt + event.durationMs;
    }
    return step;
  }
}
