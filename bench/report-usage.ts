// Imported before a process's own code: when it ends, writes the most memory that it ever held and the CPU time that it took to the
// file of USAGE_FILE. Time on a clock depends on what else the machine does.
import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const file = process.env['USAGE_FILE']
  if (file === undefined) return
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  // Kilobytes and microseconds, as getrusage has them on Linux.
  const usage = { peakBytes: maxRSS * 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }
  writeFileSync(file, JSON.stringify(usage))
})
