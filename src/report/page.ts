// One HTML page that is whole by itself: no script, no font and no picture is fetched, so that it opens from a disk, an attachment or a
// wiki in ten years' time. Its policy says so to the browser too: whatever got into it could load nothing.
import { escapeHtml } from './escape-html.ts'

export interface PageSection {
  /** Text. */
  readonly heading: string
  /** Markup, made by the builders of this folder or escaped by who made it. */
  readonly html: string
}

export interface Page {
  /** Text. */
  readonly title: string
  readonly sections: readonly PageSection[]
}

export function htmlPage({ title, sections }: Page): string {
  const heading = escapeHtml(title)
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${heading}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${heading}</h1>`,
    ...sections.map(section => `<section>\n<h2>${escapeHtml(section.heading)}</h2>\n${section.html}\n</section>`),
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

/** Eight colours that people who cannot tell red from green can tell apart: Okabe and Ito, 2008; the dark ones are lighter. */
const STYLE = `
:root { color-scheme: light dark; --ink: #1c2126; --paper: #ffffff; --quiet: #5b6570; --line: #d5dae0; --now: #0072b2; --before: #b65a00;
  --series-1: #0072b2; --series-2: #b65a00; --series-3: #00795a; --series-4: #a04a78; --series-5: #6b6400; --series-6: #2f6f9f; --warn: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --paper: #15191d; --quiet: #9aa5b1; --line: #343c45; --now: #56b4e9; --before: #e69f00;
    --series-1: #56b4e9; --series-2: #e69f00; --series-3: #3fcf9f; --series-4: #e291bd; --series-5: #f0e442; --series-6: #8fc7f0; --warn: #ff8a80 }
}
body { margin: 2rem auto; max-width: 64rem; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid var(--line) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
h1, p { overflow-wrap: anywhere } .wide, figure { overflow-x: auto }
th, td { text-align: left; padding: .25rem 1.2rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap }
th { color: var(--quiet); font-weight: 600 } td.number, th.number { text-align: right }
.long { white-space: normal; overflow-wrap: anywhere; min-width: 14rem }
figure { margin: 1rem 0 } figcaption { color: var(--quiet); position: sticky; left: 0 }
svg { max-width: 100%; min-width: 52rem; height: auto } svg text { fill: var(--ink); font: 12px system-ui, sans-serif } svg .quiet { fill: var(--quiet) }
p.quiet { color: var(--quiet) } .warn { color: var(--warn); font-weight: 600 }
@media print { body { margin: 0 } section { break-inside: avoid } svg { min-width: 0 } }
`
