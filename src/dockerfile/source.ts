/** A place in a Dockerfile. Lines and columns count from 1; columns count UTF-16 units of the line as written. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
}

/** From the first character to just behind the last. */
export interface SourceRange {
  readonly start: SourcePosition;
  readonly end: SourcePosition;
}

/** A piece of an instruction and where it stands, so that an error about it can say the column. */
export interface Word {
  readonly text: string;
  readonly at: SourcePosition;
}
