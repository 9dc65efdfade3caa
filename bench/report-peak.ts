// Imported before a process's own code: writes the most memory that the process ever held to the file of PEAK_FILE, when it ends.
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const file = process.env['PEAK_FILE']
  // Kilobytes, as getrusage has it on Linux.
  if (file !== undefined) writeFileSync(file, String(process.resourceUsage().maxRSS * 1024))
})
