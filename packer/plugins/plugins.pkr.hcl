# What `packer init plugins` fetches, once. In a folder of its own: packer 1.6.6, Debian's, has its builders within and does
# not know such a block; 1.7 and newer find what is installed.

packer {
  required_version = ">= 1.7.0"

  required_plugins {
    docker = {
      source  = "github.com/hashicorp/docker"
      version = ">= 1.1.0"
    }
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = ">= 1.1.0"
    }
    vagrant = {
      source  = "github.com/hashicorp/vagrant"
      version = ">= 1.1.5"
    }
    virtualbox = {
      source  = "github.com/hashicorp/virtualbox"
      version = ">= 1.1.0"
    }
    vmware = {
      source  = "github.com/vmware/vmware"
      version = ">= 1.1.0"
    }
  }
}
