/** What a monitoring system reads of a member: a page of text, made when it is asked for. */

export interface MetricsPage {
  /** Of HTTP. */
  readonly contentType: string;
  /** The page as it is now. Read from memory; never waits for others. */
  read(): Promise<string>;
}
