# Debian on a disk of its own, for Vagrant, from Debian's installer and the answers in http/preseed.cfg: what can be chosen.
# `packer build -only=qemu.debian .` builds a box; docs/virtual-machines.md tells more.

variable "debian" {
  type        = string
  description = "The release whose installer is fetched; Debian keeps the newest one there."
  default     = "13.6.0"
}

variable "iso_url" {
  type        = string
  description = "The installer, if another one; of any place or file."
  default     = ""
}

variable "iso_checksum" {
  type        = string
  description = "Its checksum, as sha256:...; or file:URL, for the list of checksums that it stands in."
  default     = ""
}

variable "box_name" {
  type        = string
  description = "What the box is called on this host."
  default     = "plcfarm/debian64"
}

variable "box_version" {
  type    = string
  default = "1.0.0"
}

variable "memory" {
  type        = number
  description = "MB while it is built; a Vagrantfile gives the machine its own."
  default     = 1024
}

variable "cpus" {
  type    = number
  default = 2
}

variable "disk_mb" {
  type    = number
  default = 20480
}

variable "accelerator" {
  type        = string
  description = "Of qemu: kvm, tcg, hvf, whpx."
  default     = "kvm"
}

variable "headless" {
  type    = bool
  default = true
}

variable "docker_base" {
  type        = string
  description = "An image of Debian with apt, for the docker builder, which tries the scripts without a machine."
  default     = "debian:trixie-slim"
}

variable "docker_volumes" {
  type        = map(string)
  description = "What of this host that container is shown."
  default     = {}
}

variable "checkout" {
  type        = string
  description = "Where a checkout is in the machine, if there is one: then the farm is in the box."
  default     = "/src/plcfarm"
}

variable "environment" {
  type        = list(string)
  description = "Of the scripts, as NAME=VALUE; a proxy, say."
  default     = []
}

locals {
  site         = "https://cdimage.debian.org/debian-cd/${var.debian}/amd64/iso-cd"
  iso_url      = var.iso_url != "" ? var.iso_url : "${local.site}/debian-${var.debian}-amd64-netinst.iso"
  iso_checksum = var.iso_checksum != "" ? var.iso_checksum : "file:${local.site}/SHA256SUMS"

  # At the installer's boot menu: away from the menu, and the answers by HTTP.
  boot_command = [
    "<esc><wait>",
    "auto priority=critical preseed/url=http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg ",
    "netcfg/get_hostname=plcfarm netcfg/get_domain=localdomain<enter>",
  ]
  shutdown_command = "sudo shutdown -P now"

  # Root already in a container, user vagrant with sudo in a machine.
  execute_command = "chmod +x {{ .Path }}; if [ $(id -u) = 0 ]; then env {{ .Vars }} {{ .Path }}; else sudo env {{ .Vars }} {{ .Path }}; fi"
}
